import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const document = join(root, 'docs', 'security', 'asvs.md')

/** How many requirements of levels 1 and 2 each section of ASVS 5.0.0 has; they are numbered from 1 without a gap. */
const sections = {
  '1.1': 2,
  '1.2': 9,
  '1.3': 11,
  '1.4': 3,
  '1.5': 2,
  '2.1': 3,
  '2.2': 3,
  '2.3': 4,
  '2.4': 1,
  '3.2': 2,
  '3.3': 4,
  '3.4': 6,
  '3.5': 5,
  '3.7': 2,
  '4.1': 3,
  '4.2': 1,
  '4.3': 2,
  '4.4': 4,
  '5.1': 1,
  '5.2': 3,
  '5.3': 2,
  '5.4': 3,
  '6.1': 3,
  '6.2': 12,
  '6.3': 4,
  '6.4': 4,
  '6.5': 5,
  '6.6': 3,
  '6.8': 4,
  '7.1': 3,
  '7.2': 4,
  '7.3': 2,
  '7.4': 5,
  '7.5': 2,
  '7.6': 2,
  '8.1': 2,
  '8.2': 3,
  '8.3': 1,
  '8.4': 1,
  '9.1': 3,
  '9.2': 4,
  '10.1': 2,
  '10.2': 2,
  '10.3': 4,
  '10.4': 11,
  '10.5': 5,
  '10.6': 2,
  '10.7': 3,
  '11.1': 2,
  '11.2': 3,
  '11.3': 3,
  '11.4': 4,
  '11.5': 1,
  '11.6': 1,
  '12.1': 3,
  '12.2': 2,
  '12.3': 4,
  '13.1': 1,
  '13.2': 5,
  '13.3': 2,
  '13.4': 5,
  '14.1': 2,
  '14.2': 4,
  '14.3': 3,
  '15.1': 3,
  '15.2': 3,
  '15.3': 7,
  '16.1': 1,
  '16.2': 5,
  '16.3': 4,
  '16.4': 3,
  '16.5': 3,
  '17.1': 1,
  '17.2': 4,
  '17.3': 2,
}
const wanted = Object.entries(sections).flatMap(([section, count]) =>
  Array.from({ length: count }, (_, i) => `${section}.${i + 1}`),
)

const rows = readFileSync(document, 'utf8')
  .split('\n')
  .filter((line) => /^\| \d/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, id = '', answer = '', where = '']) => ({ id, answer, where }))

describe('the table of ASVS 5.0', () => {
  it('has a line for each of the 253 requirements of levels 1 and 2, and no other', () => {
    expect(wanted).toHaveLength(253)
    expect(rows.map(({ id }) => id)).toEqual(wanted)
  })

  it('leaves none without an answer, and none without a place but what the product does not have', () => {
    const blank = rows.filter(({ answer, where }) => !answer || !(where || answer.startsWith('not here')))
    expect(blank).toEqual([])
  })

  it('names proofs, tests and documents that exist', () => {
    const claims = new Set(
      readdirSync(join(root, 'packages/proof/src/claims'), { recursive: true, encoding: 'utf8' }).flatMap(
        (file) => /([a-z]+-\d+)-[^/]*\.ts$/.exec(file)?.[1]?.toUpperCase() ?? [],
      ),
    )
    const exists = (place: string): boolean => {
      const link = /\]\((.+?)\)/.exec(place)?.[1]
      if (link) return existsSync(join(dirname(document), link))
      return /^[A-Z]+-\d+$/.test(place) ? claims.has(place) : existsSync(join(root, place))
    }
    const missing = rows.flatMap(({ id, where }) =>
      where
        .split(/,\s*/)
        .filter((place) => place && !exists(place))
        .map((place) => `${id}: ${place}`),
    )
    expect(missing).toEqual([])
  })
})
