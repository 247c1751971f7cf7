import { cosnap } from '@seaworthy/cosnap/app'
import { defineSystem } from '@seaworthy/platform/boot'

/** The apps that this installation runs. `deployment` says where: names for the rendered files. */
export const system = defineSystem({ apps: [cosnap] })
