import type { App, Deployment } from '../definition/index.ts'

/** Which apps this installation runs, and where its built parts are. */
export interface System {
  readonly apps: readonly App[]
  /** What rendered files say about where it runs; left out, they hold names of examples. */
  readonly deployment?: Partial<Deployment>
}

export const defineSystem = (system: System): System => system

/** What the build wrote down about itself. */
export interface Build {
  readonly version: string
  readonly commit: string
  /** Hash of all sources. */
  readonly sources: string
}

/** Where this installation lives. */
export interface Place {
  /** The checkout. */
  readonly directory: string
  readonly webDirectory: string
  readonly build: Build
}
