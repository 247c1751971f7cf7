/** One thing that must be right before anything is changed. */
export interface Check {
  readonly name: string
  readonly ok: boolean
  /** What was found, as a sentence. */
  readonly found: string
  /** What somebody can do about it. */
  readonly remedy?: string
}

/** For people: what was found, and what to do. */
export const wordsOf = ({ found, remedy }: Check): string => (remedy ? `${found} HINT: ${remedy}` : found)
