import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { OwnCopy } from './own-copy.ts'

/** What the app asks for. */
export const PURPOSE = 'notes.outside-reading'
export const VERSION = 2
export const WORDS = 'Notes are sent to somebody else, who forgets them at once.'
export const OTHER_PURPOSE = 'notes.training'

/**
 * Cosnap sends nothing elsewhere, so there is nothing to agree to: another app is put beside it, as a stranger would write
 * one, whose only route needs a consent.
 */
export function putAskingApp({ product }: OwnCopy): void {
  writeFileSync(
    join(product, 'dist', 'seaworthy.config.js'),
    `import { cosnap } from '@seaworthy/cosnap/app'
import { defineSystem } from '@seaworthy/platform/boot'
import { consent, defineApp, noBody, rate, requireConsent, route } from '@seaworthy/platform/definition'
import { z } from 'zod'

const reading = consent({ name: '${PURPOSE}', version: ${VERSION}, title: 'Read notes elsewhere', text: '${WORDS}',
  data: ['notes'], recipient: 'Somebody else' })
const training = consent({ name: '${OTHER_PURPOSE}', version: 1, title: 'Learn from notes', text: 'Notes are learned from.', data: ['notes'] })
const send = route({
  name: 'notes.send', method: 'POST', path: '/send', summary: 'Send notes elsewhere', auth: 'viewer',
  limit: rate('notes.send', 1_000, 60_000), body: noBody, reply: { 200: z.object({ sent: z.boolean() }) }, audit: 'notes_send',
  handle: async ({ tx, caller }) => {
    await requireConsent(tx, caller, reading)
    return { status: 200, body: { sent: true } }
  },
})
const notes = defineApp({ name: 'notes', title: 'Notes', routes: [send], consents: [reading, training] })
export const system = defineSystem({ apps: [cosnap, notes] })
`,
  )
}
