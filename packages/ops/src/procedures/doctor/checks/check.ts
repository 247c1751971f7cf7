import type { Finding } from '../finding.ts'
import type { Installation } from '../installation.ts'

/** One thing that is looked at. Changes nothing. */
export interface Check {
  readonly title: string
  /** May throw: then it could not be looked at. */
  readonly look: (here: Installation) => Finding | Promise<Finding>
}
