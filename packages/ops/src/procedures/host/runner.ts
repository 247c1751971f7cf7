import type { Host } from './host.ts'

/**
 * What runs releases on this host. A release is started with the environment of `run/<release>.env`, answers on
 * `run/<release>.sock`, and goes on when the command that started it ends or is killed.
 */
export interface Runner {
  readonly name: string
  /** Settings that say where a release that is started next answers. What they need is there afterwards. */
  prepare(release: string): Promise<Readonly<Record<string, string>>>
  /** Returns when it was started, not when it is ready. Nothing when it runs already. */
  start(release: string): Promise<void>
  /** Asks it to finish what is under way; what is left at the deadline is killed. Nothing when it does not run. */
  stop(release: string, deadlineMs: number): Promise<void>
  isAlive(release: string): Promise<boolean>
  /** How often whoever keeps it has started it again: each time it had ended by itself. */
  restarts(release: string): Promise<number>
  /** The last lines that it wrote. */
  logs(release: string): Promise<string>
  /** A release that is removed from this host leaves nothing here. It does not run. */
  forget(release: string): Promise<void>
}

/** Releases that are images and releases that are folders, on one host. */
export function runnerOfBoth(folders: Runner, images: Runner): Runner {
  const of = (release: string): Runner => (isImageRelease(release) ? images : folders)
  return {
    name: folders.name,
    prepare: (release) => of(release).prepare(release),
    start: (release) => of(release).start(release),
    stop: (release, deadlineMs) => of(release).stop(release, deadlineMs),
    isAlive: (release) => of(release).isAlive(release),
    restarts: (release) => of(release).restarts(release),
    logs: (release) => of(release).logs(release),
    forget: (release) => of(release).forget(release),
  }
}

/** The same for their commands. */
export const commandOfBoth =
  (folders: Host['command'], images: Host['command']): Host['command'] =>
  (release, args, options) =>
    (isImageRelease(release) ? images : folders)(release, args, options)

const IMAGE = 'image-'
const ID_SHOWN = 12

/** An image by what is in it: its id, `sha256:...`. */
export const imageRelease = (id: string): string => `${IMAGE}${id.replace(/^sha256:/, '').slice(0, ID_SHOWN)}`
const isImageRelease = (release: string): boolean => release.startsWith(IMAGE)
