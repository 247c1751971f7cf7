import { describe, expect, it } from 'vitest'
import { parsePlace, readChange, showPlace } from './changes.ts'

const text = (value: string): Buffer => Buffer.from(`${value}\0`)
const int = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
const value = (words: string): Buffer =>
  Buffer.concat([Buffer.from('t'), int(Buffer.byteLength(words)), Buffer.from(words)])
const row = (...values: readonly Buffer[]): Buffer => Buffer.concat([Buffer.from([0, values.length]), ...values])

describe('a change of a database', () => {
  it('is read with its key where that changed, with nothing for what is null, and without what stayed and is long', () => {
    const message = Buffer.concat([
      Buffer.from('U'),
      int(16_400),
      Buffer.from('K'),
      row(value('1'), Buffer.from('n')),
      Buffer.from('N'),
      row(value('größer'), Buffer.from('u')),
    ])
    expect(readChange(message)).toEqual({
      kind: 'update',
      relation: 16_400,
      key: ['1', null],
      row: ['größer', undefined],
    })
  })

  it('names its table with its key', () => {
    const column = (flag: number, name: string) => Buffer.concat([Buffer.from([flag]), text(name), int(23), int(0)])
    const message = Buffer.concat([
      ...[Buffer.from('R'), int(7), text('cosnap'), text('runs'), Buffer.from('d'), Buffer.from([0, 2])],
      ...[column(1, 'id'), column(0, 'words')],
    ])
    expect(readChange(message)).toEqual({
      kind: 'relation',
      relation: {
        id: 7,
        schema: 'cosnap',
        name: 'runs',
        isWhole: false,
        columns: [
          { name: 'id', isKey: true },
          { name: 'words', isKey: false },
        ],
      },
    })
  })

  it('is refused where it is of a kind that is not known: nothing is passed over', () => {
    expect(() => readChange(Buffer.from('X'))).toThrow(/not known: X/)
    expect(() =>
      readChange(Buffer.concat([Buffer.from('I'), int(1), Buffer.from('N'), row(Buffer.from('b'))])),
    ).toThrow(/form that is not known: b/)
  })
})

it('writes a place in the log as the server does, and reads it', () => {
  for (const place of ['0/0', '0/1A2B3C4', '16/B374D848']) expect(showPlace(parsePlace(place))).toBe(place)
})
