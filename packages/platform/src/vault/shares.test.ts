import { Secret } from '@seaworthy/core'
import { describe, expect, it } from 'vitest'
import { ringOf } from './key-ring.ts'
import { isShare, openShares, parseSplit, writeShares } from './shares.ts'

const [current, old] = [new Secret('0123456789abcdef'.repeat(4)), new Secret('fedcba9876543210'.repeat(4))] as const
const ring = ringOf(current, old)
const write = async (split = '3-of-5') =>
  (await writeShares(ring, parseSplit(split), new Date(0))).map((text, i) => ({ name: `share-${i + 1}`, text }))
const pick = <T>(all: readonly T[], ...numbers: number[]): T[] => numbers.map((number) => all[number - 1] as T)

describe('shares of the recovery kit', () => {
  it('give the keys back for any of them in any order, the current one first, when there are enough', async () => {
    const shares = await write()
    for (const numbers of [
      [1, 2, 3],
      [5, 1, 4],
      [2, 5, 3],
      [4, 3, 2, 1],
      [1, 2, 3, 4, 5],
    ]) {
      const opened = await openShares(pick(shares, ...numbers))
      expect(opened.keys.map((key) => key.reveal())).toEqual([current.reveal(), old.reveal()])
      expect(opened.unread).toEqual([1, 2, 3, 4, 5].filter((number) => !numbers.includes(number)))
    }
    expect((await openShares(await write('2-of-2'))).fingerprints).toHaveLength(2)
  })

  it('name what is missing when there are too few', async () => {
    const shares = await write()
    await expect(openShares(pick(shares, 2, 4))).rejects.toThrow(
      /3 shares, and there are 2[\s\S]*1 of the shares 1, 3, 5/,
    )
  })

  it('name the one that is changed, twice there, of another kit, or none at all', async () => {
    const [shares, others] = [await write(), await write()]
    const [first, second, third, fourth] = pick(shares, 1, 2, 3, 4)
    const lines = (third?.text ?? '').split('\n')
    const at = lines.indexOf('-----BEGIN SHARE-----') + 2
    lines[at] = `${lines[at]?.startsWith('A') ? 'B' : 'A'}${lines[at]?.slice(1)}`
    const changed = { name: 'changed', text: lines.join('\n') }
    await expect(openShares([first as never, second as never, changed])).rejects.toThrow(/changed was changed/)
    const cut = { name: 'cut', text: (third?.text ?? '').replace(lines[at + 1] ?? '', '') }
    await expect(openShares([first as never, cut])).rejects.toThrow(/cut was changed or is not whole/)
    await expect(openShares([first as never, second as never, { ...first, name: 'again' } as never])).rejects.toThrow(
      /share-1 and again are the same share, 1 of 5/,
    )
    await expect(
      openShares([first as never, { ...pick(others, 2)[0], name: 'foreign' } as never, fourth as never]),
    ).rejects.toThrow(/foreign is a share of the kit/)
    await expect(openShares([first as never, { name: 'list', text: 'a shopping list' }])).rejects.toThrow(
      /list is not a share/,
    )
  })

  it('hold no key in clear, fit on a page each, and open when typed in lower case', async () => {
    const shares = await write()
    for (const { text } of shares) {
      expect(isShare(text)).toBe(true)
      expect(text.toLowerCase().replace(/\s/g, '')).not.toContain(current.reveal().slice(0, 16))
      expect(text.split('\n').length).toBeLessThan(40)
      expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120)
    }
    const typed = pick(shares, 1, 2, 5).map(({ name, text }) => {
      const [before = '', code = '', after = ''] = text.split(/-----(?:BEGIN|END) SHARE-----/)
      return {
        name,
        text: `${before}-----BEGIN SHARE-----${code.toLowerCase().replaceAll('0', 'o').replace(/\s+/g, ' ')}-----END SHARE-----${after}`,
      }
    })
    expect((await openShares(typed)).fingerprints).toHaveLength(2)
  })

  it('open nothing when one bit of any of them is another one', async () => {
    const shares = pick(await write(), 1, 2, 3)
    const letters = (shares[1]?.text.split('-----BEGIN SHARE-----')[1]?.split('-----END')[0] ?? '').replace(
      /\s/g,
      '',
    ).length
    // The last letter has bits to spare, which say nothing.
    for (let which = 0; which < letters - 1; which += 3) {
      let seen = -1
      const [before = '', rest = ''] = (shares[1]?.text ?? '').split('-----BEGIN SHARE-----')
      const text = rest.replace(/[0-9A-Z]/g, (letter) => (++seen === which ? (letter === '7' ? '8' : '7') : letter))
      const changed = { name: 'changed', text: `${before}-----BEGIN SHARE-----${text}` }
      await expect(openShares([shares[0] as never, changed, shares[2] as never])).rejects.toThrow(/changed/)
    }
  })

  it('are never fewer than two, nor fewer than are needed', () => {
    for (const text of ['1-of-5', '6-of-5', '3-of-99', '3/5', 'three'])
      expect(() => parseSplit(text)).toThrow(/--shares 3-of-5/)
    expect(parseSplit('3-of-5')).toEqual({ needed: 3, all: 5 })
  })
})
