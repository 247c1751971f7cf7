/** Values that nobody else has, in the forms in which secrets and personal data come. */
export interface Canaries {
  email(): string
  password(): string
  token(): string
  card(): string
  phone(): string
  /** A word without a form: only its place says that it is nobody's business. */
  word(): string
  /** Long enough for a secret of the installation. */
  secret(): string
  /** All that were made. */
  readonly all: readonly string[]
}

/** @param random From 0 up to 1. */
export function makeCanaries(random: () => number): Canaries {
  const all: string[] = []
  const digits = (count: number): string => Array.from({ length: count }, () => Math.floor(random() * 10)).join('')
  const letters = (count: number): string =>
    Array.from({ length: count }, () => 'bcdfghjklmnpqrstvwxz'[Math.floor(random() * 20)]).join('')
  const plant = (value: string): string => {
    all.push(value)
    return value
  }
  return {
    email: () => plant(`canary.${letters(12)}@planted.example`),
    password: () => plant(`Canary-${letters(14)}-7!`),
    token: () => plant(`eyJ${letters(16)}.${letters(24)}.${letters(24)}`),
    card: () => plant(`4${digits(15)}`),
    phone: () => plant(`+49170${digits(8)}`),
    word: () => plant(`canary${letters(18)}`),
    secret: () => plant(`canary${letters(40)}`),
    all,
  }
}

/** Which of them stand in a text, as they are or as addresses write them. */
export const findCanaries = (text: string, all: readonly string[]): string[] =>
  all.filter((value) => text.includes(value) || text.includes(encodeURIComponent(value)))
