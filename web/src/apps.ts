import { cosnapWeb } from '@seaworthy/cosnap/web'
import type { WebApp } from '@seaworthy/ui'

/** The apps whose pages this shell mounts. */
export const apps: readonly WebApp[] = [cosnapWeb]

/** Whose page it is; undefined for the shell's own. */
export const appAt = (pathname: string): WebApp | undefined =>
  apps.find((app) => pathname === app.home || pathname.startsWith(`${app.home}/`))
