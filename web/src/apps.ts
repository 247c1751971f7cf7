import { cosnapWeb } from '@seaworthy/cosnap/web'
import type { WebApp } from '@seaworthy/ui'

/** The apps whose pages this shell mounts. */
export const apps: readonly WebApp[] = [cosnapWeb]
