import { defineErrors } from '@seaworthy/core'

/** What only Cosnap can refuse. */
export const faults = defineErrors('cosnap', {
  already_started: { status: 409, title: 'This has started already and can no longer be cancelled.' },
  still_running: { status: 409, title: 'An effect on this photo is still being made.' },
})
