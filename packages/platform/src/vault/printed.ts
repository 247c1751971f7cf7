/** Letters and digits that nobody confuses; O is read as 0, I and L as 1. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const GROUP = 5
const GROUPS_PER_LINE = 8

/** Bytes as lines of text that can be printed, and typed in again. */
export function toPrinted(bytes: Buffer): readonly string[] {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const code = (bits.match(/.{1,5}/g) ?? []).map((five) => alphabet[Number.parseInt(five.padEnd(5, '0'), 2)]).join('')
  const groups = code.match(new RegExp(`.{1,${GROUP}}`, 'g')) ?? []
  return Array.from({ length: Math.ceil(groups.length / GROUPS_PER_LINE) }, (_, i) =>
    groups.slice(i * GROUPS_PER_LINE, (i + 1) * GROUPS_PER_LINE).join(' '),
  )
}

/** What stands between two lines, in upper or lower case and with any spaces. Undefined when it is no such text. */
export function fromPrinted(text: string, begin: string, end: string): Buffer | undefined {
  const [, rest] = text.split(begin)
  const [typed, after] = (rest ?? '').split(end)
  if (!typed || after === undefined) return undefined
  const code = typed.replace(/\s/g, '').toUpperCase().replaceAll('O', '0').replace(/[IL]/g, '1')
  if ([...code].some((letter) => !alphabet.includes(letter))) return undefined
  const bits = [...code].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
}
