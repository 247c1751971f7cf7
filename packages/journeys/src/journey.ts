import type { Visitor } from './visitor.ts'

export interface Credentials {
  readonly email: string
  readonly password: string
}

export interface JourneyReport {
  readonly steps: readonly { readonly name: string; readonly ms: number }[]
  /** Credits that it took; whoever sent the visitor gives them back. */
  readonly spent: number
}

/** Walks through an app and leaves nothing behind. Throws at the first step that is not as it should be. */
export type Journey = (visitor: Visitor, credentials: Credentials) => Promise<JourneyReport>
