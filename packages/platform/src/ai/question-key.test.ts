import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonical, questionKey } from './question-key.ts'

const account = '018f0000-0000-7000-8000-000000000001'
const keyOf = (input: unknown, text = '', base = 'b', images?: { type: 'image/png'; bytes: Uint8Array }[]) =>
  questionKey(base, account, input, { text, ...(images ? { images } : {}) })

describe('what a question is known by', () => {
  it('tells where one part ends and the next begins', () => {
    expect(canonical(['a', 'bc'])).not.toBe(canonical(['ab', 'c']))
    expect(canonical({ a: 'b' })).not.toBe(canonical(['a', 'b']))
    expect(canonical(['1'])).not.toBe(canonical([1]))
    expect(canonical('n')).not.toBe(canonical(null))
    expect(keyOf('a', 'bc')).not.toBe(keyOf('ab', 'c'))
    expect(keyOf('x', '', 'ab')).not.toBe(keyOf('bx', '', 'a'))
  })

  it('is the same for equal values in any order of their names, and for nothing else', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const [left, right] = [sorted(a), sorted(b)]
        expect(canonical(a) === canonical(b)).toBe(left === right)
        expect(canonical(reversed(a))).toBe(canonical(a))
      }),
    )
  })

  it('differs between texts that differ only in what is no text', () => {
    expect(keyOf('\ud800')).not.toBe(keyOf('\ud801'))
    expect(keyOf('e\u0301')).not.toBe(keyOf('\u00e9'))
  })

  it('knows pictures by what they hold', () => {
    const image = (byte: number) => [{ type: 'image/png' as const, bytes: Uint8Array.of(1, 2, byte) }]
    expect(keyOf('a', 't', 'b', image(3))).toBe(keyOf('a', 't', 'b', image(3)))
    expect(keyOf('a', 't', 'b', image(3))).not.toBe(keyOf('a', 't', 'b', image(4)))
    expect(keyOf('a', 't', 'b', image(3))).not.toBe(keyOf('a', 't', 'b'))
  })

  it('is another one for another account', () => {
    expect(questionKey('b', 'one', 'x', { text: '' })).not.toBe(questionKey('b', 'two', 'x', { text: '' }))
  })
})

/** As an independent witness. -0 is 0 in JSON. */
const sorted = (value: unknown): string =>
  JSON.stringify(value, (_, v: unknown) =>
    v && typeof v === 'object' && !Array.isArray(v)
      ? Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1))
      : Array.isArray(v)
        ? ['array', ...v]
        : v,
  )
const reversed = (value: unknown): unknown =>
  value && typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([name, v]) => [name, reversed(v)]),
      )
    : Array.isArray(value)
      ? value.map(reversed)
      : value
