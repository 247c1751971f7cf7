import { Secret } from '@seaworthy/core'
import { describe, expect, it } from 'vitest'
import { ringOf } from './key-ring.ts'
import { openKit, writeKit } from './kit.ts'

const [current, old] = [new Secret('0123456789abcdef'.repeat(4)), new Secret('fedcba9876543210'.repeat(4))] as const
const passphrase = new Secret('four boats in the harbour')
const kit = writeKit(ringOf(current, old), passphrase, new Date(0))

describe('the recovery kit', () => {
  it('gives the keys back for its passphrase, the current one first', () => {
    const opened = openKit(kit, passphrase)
    expect(opened?.keys.map((key) => key.reveal())).toEqual([current.reveal(), old.reveal()])
    for (const id of opened?.fingerprints ?? []) expect(kit).toContain(id)
  })

  it('holds no key in clear, and fits on a page', () => {
    expect(kit.toLowerCase().replace(/\s/g, '')).not.toContain(current.reveal().slice(0, 16))
    expect(kit.split('\n').length).toBeLessThan(40)
    expect(Math.max(...kit.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110)
  })

  it('opens when it is typed in lower case, with other spaces, and with O for 0 and l for 1', () => {
    const [before = '', code = '', after = ''] = kit.split(/-----(?:BEGIN|END) KEY RING-----/)
    const typed = code.toLowerCase().replaceAll('0', 'o').replaceAll('1', 'l').replace(/\s+/g, '  ')
    const text = `${before}-----BEGIN KEY RING-----${typed}-----END KEY RING-----${after}`
    expect(openKit(text, passphrase)?.fingerprints).toHaveLength(2)
  })

  it('does not open with another passphrase or a wrong letter, and refuses what is no kit', () => {
    expect(openKit(kit, new Secret('four boats in the harbor'))).toBeUndefined()
    const lines = kit.split('\n')
    const at = lines.indexOf('-----BEGIN KEY RING-----') + 2
    const line = lines[at] ?? ''
    lines[at] = `${line.startsWith('A') ? 'B' : 'A'}${line.slice(1)}`
    expect(openKit(lines.join('\n'), passphrase)).toBeUndefined()
    expect(() => openKit('a shopping list', passphrase)).toThrow(/not a recovery kit/)
  })
})
