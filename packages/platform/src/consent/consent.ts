/**
 * Something that an account may agree to: that data of these classes is used for a purpose, or shown to somebody. A value
 * that the compiler knows, so that nothing can be asked for that nobody declared.
 */
export interface Consent {
  readonly kind: 'consent'
  /** The purpose, with the app's name in front: `notes.outside-reading`. */
  readonly name: string
  /** Raise it when the words change in meaning: who agreed to earlier ones is asked again. */
  readonly version: number
  /** What is asked, in a few words. */
  readonly title: string
  /** The words that people agree to; kept with each decision. */
  readonly text: string
  /** Which classes of data, in words for people: `photos of receipts`. */
  readonly data: readonly [string, ...string[]]
  /** Who else sees them. Left out: they stay in this service. */
  readonly recipient?: string
}

/** As the database keeps it. */
const form = /^[a-z][a-z0-9-]*(\.[a-z0-9-]+)+$/
const NAME_MAX = 80
const TEXT_MAX = 4_000

/**
 * @example
 * export const outsideReading = consent({
 *   name: 'notes.outside-reading', version: 1, title: 'Read receipts with OpenAI',
 *   text: 'Photos of your receipts are sent to OpenAI, which reads them and forgets them after thirty days.',
 *   data: ['photos of receipts'], recipient: 'OpenAI',
 * })
 */
export function consent(definition: Omit<Consent, 'kind'>): Consent {
  const { name, version, text } = definition
  if (!form.test(name) || name.length > NAME_MAX)
    throw new Error(`a consent has a name such as notes.outside-reading, not ${name}`)
  if (!Number.isInteger(version) || version < 1) throw new Error(`the version of ${name} is a whole number from 1 on`)
  if (!text || text.length > TEXT_MAX) throw new Error(`the text of ${name} has 1 to ${TEXT_MAX} characters`)
  return { kind: 'consent', ...definition }
}
