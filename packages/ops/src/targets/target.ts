import type { Description } from '../description/index.ts'

/** A file for production, as it is written into the checkout. */
export interface Artefact {
  /** From the checkout on, with `/`. */
  readonly path: string
  readonly text: string
  readonly executable?: true
}

/** One kind of place to run at. Rendering is pure: the same description gives the same files. */
export interface Target {
  readonly name: string
  /** One sentence for whoever chooses. */
  readonly about: string
  /** Why nothing here has run it, where that is so. */
  readonly notRunHere?: string
  render(description: Description): readonly Artefact[]
}

/** The first lines of every rendered file that may hold a comment. */
export const rendered = (comment = '#'): string =>
  `${comment} Rendered from the definition by \`seaworthy render\`. Your own changes: edit, then \`seaworthy render --keep\`.\n`
