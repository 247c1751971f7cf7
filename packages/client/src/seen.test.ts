import { describe, expect, it } from 'vitest'
import { createSeen, POSITION_HEADER } from './seen.ts'

function open() {
  const seen = createSeen()
  const ask = () => {
    const headers = new Headers()
    const answer = seen.show(headers)
    return { sent: headers.get(POSITION_HEADER), answer }
  }
  return { ...seen, ask }
}

describe('what a page has seen', () => {
  it('is told to nobody who never asked for it', () => {
    const { ask, changed } = open()
    ask().answer(null)
    changed()
    expect(ask().sent).toBeNull()
  })

  it('is sent with what comes next, and replaced by what its answer says', () => {
    const { ask } = open()
    ask().answer('one')
    const next = ask()
    expect(next.sent).toBe('one')
    next.answer(null)
    expect(ask().sent).toBe('one')
    next.answer('two')
    expect(ask().sent).toBe('two')
  })

  it('does not lose a write whose answer was overtaken', () => {
    const { ask, note } = open()
    const [first, second] = [ask(), ask()]
    second.answer('late')
    first.answer('early')
    note('uploaded')
    const both = ask()
    expect(both.sent).toBe('late,early,uploaded')
    both.answer('all')
    expect(ask().sent).toBe('all')
  })

  it('asks for the newest state until an answer has come from after a change that was heard of', () => {
    const { ask, changed } = open()
    ask().answer('one')
    const before = ask()
    changed()
    before.answer('old')
    const after = ask()
    expect(after.sent).toBe('changed-1,old')
    changed()
    after.answer('newer')
    expect(ask().sent).toBe('changed-2,newer')
  })
})
