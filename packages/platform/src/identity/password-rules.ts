import { fault } from '@seaworthy/core'
import { commonPasswords } from './drivers/common-passwords.ts'

export const PASSWORD_LENGTH_MIN = 8
export const PASSWORD_LENGTH_MAX = 128

/** What is refused beside short passwords. No mixture of characters is asked for: length and surprise are what helps. */
export interface PasswordRules {
  /** Throws `password_too_common`. */
  check(password: string, email: string): Promise<void>
}

/** @param words What a guesser tries first here: the names of the product, of its apps and of its address. */
export function createPasswordRules(words: readonly string[]): PasswordRules {
  const own = words.map(fold).filter(isLongEnough)
  return {
    check: async (password, email) => {
      const common = await commonPasswords(PASSWORD_LENGTH_MIN)
      const why = weaknessOf(fold(password), [...wordsOf(email), ...own], common)
      if (why) throw tooCommon(why)
    },
  }
}

const tooCommon = (message: string) =>
  fault('password_too_common', {
    detail: 'Choose another one. A few words in a row that belong together only for you are good.',
    fields: [{ path: 'body.password', message: `${message}. Try a few words in a row.` }],
  })

const fold = (text: string): string => text.normalize('NFC').toLowerCase()

/** What a guesser knows, in words that the person at the form understands; undefined when it is none of it. */
function weaknessOf(password: string, words: readonly string[], common: ReadonlySet<string>): string | undefined {
  if (common.has(password)) return 'is one of those that many people use'
  if (isRepeated(password) || isRun(password) || isDate(password)) return 'follows a pattern that is guessed early'
  if (isMostly(password, words)) return 'is little more than your address or the name of this service'
  return undefined
}

/** The same few characters again and again: `boatboatboat`, `11111111`. */
function isRepeated(password: string): boolean {
  for (let length = 1; length < PASSWORD_LENGTH_MIN && length <= password.length / 2; length++)
    if (password.slice(length) === password.slice(0, -length)) return true
  return false
}

const rows = ['0123456789', '1234567890', 'abcdefghijklmnopqrstuvwxyz', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm']
const reversed = rows.map((row) => [...row].reverse().join(''))
/** Twice, because a run goes on at the start: `7890123456`. */
const runs = [...rows, ...reversed].map((row) => row + row)

/** A piece of the alphabet or of a row of the keyboard, in either direction. */
const isRun = (password: string): boolean => runs.some((run) => run.includes(password))

/** A day of this or the last century, as people write it: eight digits. */
function isDate(password: string): boolean {
  if (!/^\d{8}$/.test(password)) return false
  const [a, b, c, d] = [password.slice(0, 2), password.slice(2, 4), password.slice(4, 6), password.slice(6)].map(Number)
  const isYear = (century = 0): boolean => century === 19 || century === 20
  const isDay = (one = 0, other = 0): boolean =>
    one >= 1 && other >= 1 && Math.min(one, other) <= 12 && Math.max(one, other) <= 31
  return (isYear(a) && isDay(c, d)) || (isYear(c) && isDay(a, b))
}

/** Without those words too little is left to be a password of its own. */
function isMostly(password: string, words: readonly string[]): boolean {
  const rest = [...words]
    .sort((a, b) => b.length - a.length)
    .reduce((text, word) => text.replaceAll(word, ''), password)
  return rest.length < password.length && rest.length < PASSWORD_LENGTH_MIN
}

const WORD_LENGTH_MIN = 3
const isLongEnough = (word: string): boolean => word.length >= WORD_LENGTH_MIN

/** The address, its two halves and their pieces: `ann.miller@example.com`, `ann.miller`, `miller`, `example`. */
function wordsOf(email: string): string[] {
  const address = fold(email.trim())
  const [local = '', domain = ''] = address.split('@')
  const pieces = [...local.split(/[._+-]/), ...domain.split('.').slice(0, -1)]
  return [address, local, domain, ...pieces].filter(isLongEnough)
}
