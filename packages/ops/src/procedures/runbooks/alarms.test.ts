import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runbookNames } from '@seaworthy/core'
import { describe, expect, it } from 'vitest'
import { runbooks } from './index.ts'

const root = join(import.meta.dirname, '..', '..', '..', '..', 'platform', 'src')
const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .map((name) => ({ name, text: readFileSync(join(root, name), 'utf8') }))
/** Only these are told to somebody by other means, or by no line of the log. */
const withoutAlarm = ['bad-deploy', 'memory-grows']

describe('alarms and runbooks', () => {
  it('has no error in the log without a runbook', () => {
    const calls = sources.flatMap(({ name, text }) =>
      [...text.matchAll(/\blog\.error\(([\s\S]{0,400})/g)].map(([, rest = '']) => ({ name, rest })),
    )
    expect(calls.length).toBeGreaterThan(15)
    expect(calls.filter(({ rest }) => !/\brunbook\b/.test(rest)).map(({ name }) => name)).toEqual([])
  })

  it('names only runbooks that exist, and each that has an alarm', () => {
    const named = new Set(
      sources.flatMap(({ text }) =>
        [...text.matchAll(/\brunbook(?:: | = store[^\n]*)('[a-z-]+'(?: : '[a-z-]+')?)/g)].flatMap(
          ([all]) => all.match(/(?<=')[a-z]+-[a-z-]+(?=')/g) ?? [],
        ),
      ),
    )
    expect([...named].filter((name) => !runbookNames.some((known) => known === name))).toEqual([])
    expect(runbookNames.filter((name) => !named.has(name)).sort()).toEqual(withoutAlarm)
  })

  it.each(runbookNames)('%s says when it is used, looks first, and ends with what must be well', (name) => {
    const { symptom, title, steps } = runbooks[name]
    expect(symptom.length).toBeGreaterThan(20)
    expect(title).not.toBe('')
    expect(steps[0]?.kind).toBe('look')
    expect(steps.at(-1)?.kind).toBe('confirm')
  })
})
