/** One mistake that the wreck makes on purpose, and the only change that mends it. */
export interface WreckMistake {
  readonly says: string
  /** In part 2 of the requirements; none for the well known ones. */
  readonly numbers: readonly number[]
  /** The claim that finds it, by which name, and about what when it finds several of that name. */
  readonly claim: string
  readonly mistake: string
  readonly about?: string
  /** Of `app/`. The text is there exactly once. */
  readonly file: string
  readonly find: string
  readonly mend: string
}
