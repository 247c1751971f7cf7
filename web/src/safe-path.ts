import { apps } from './apps.ts'

/** Only a path of our own: a link that leads here must not lead elsewhere from here. */
export function safePath(next: string | undefined): string {
  return next && /^\/(?![/\\])/.test(next) ? next : (apps[0]?.home ?? '/')
}
