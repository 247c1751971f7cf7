import { cosnap } from '@seaworthy/cosnap/app'
import { defineSystem } from '@seaworthy/platform/boot'

/** The apps that this installation runs. */
export const system = defineSystem({ apps: [cosnap] })
