import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { decrypt, encrypt, lengthPrefixed, newKey } from './cipher.ts'

const key = newKey()
const context = lengthPrefixed('a', 'b')

describe('encryption', () => {
  it('gives back what was encrypted, of any length', () => {
    for (const length of [0, 1, 15, 16, 17, 4_096, 100_000]) {
      const plain = randomBytes(length)
      expect(decrypt(key, context, encrypt(key, context, plain))).toEqual(plain)
    }
  })

  it('refuses a value of which one letter is another one, wherever it is', () => {
    const value = encrypt(key, context, Buffer.from('a secret of somebody'))
    for (let at = 0; at < value.length; at++)
      for (const letter of ['A', 'B', 'z', '_']) {
        const changed = value.slice(0, at) + letter + value.slice(at + 1)
        if (changed !== value) expect(decrypt(key, context, changed), `letter ${at}`).toBeUndefined()
      }
  })

  it('refuses a value that is shorter, longer or spelled in another way', () => {
    const value = encrypt(key, context, Buffer.from('a secret of somebody'))
    for (const changed of [value.slice(1), value.slice(0, -1), `${value}A`, `${value}=`, `${value}\n`, ''])
      expect(decrypt(key, context, changed)).toBeUndefined()
  })

  it('refuses another context and another key', () => {
    const value = encrypt(key, context, Buffer.from('a secret of somebody'))
    expect(decrypt(key, lengthPrefixed('ab', ''), value)).toBeUndefined()
    expect(decrypt(key, lengthPrefixed('', 'ab'), value)).toBeUndefined()
    expect(decrypt(newKey(), context, value)).toBeUndefined()
  })

  it('never repeats a salt or a nonce, so equal texts differ', () => {
    const values = Array.from({ length: 20_000 }, () =>
      Buffer.from(encrypt(key, context, Buffer.from('x')), 'base64url'),
    )
    const parts = (from: number, to: number) => new Set(values.map((value) => value.toString('hex', from, to)))
    expect([parts(0, 16).size, parts(16, 28).size, parts(28, 29).size > 1]).toEqual([20_000, 20_000, true])
  })
})
