import { describe, expect, it } from 'vitest'
import { cosnap } from './cosnap.ts'
import type { Visitor } from './visitor.ts'

/** Answers by what was asked, and what was asked. */
function openService(answers: Readonly<Record<string, readonly [status: number, body?: object]>>) {
  const asked: string[] = []
  const visitor: Visitor = {
    send: async (method, path) => {
      const what = `${method} ${path.replace(/\?.*/, '')}`
      asked.push(what)
      const [status, body = {}] = answers[what] ?? [204]
      const bytes = Buffer.from(JSON.stringify(body))
      return { status, bytes, json: <T>() => JSON.parse(bytes.toString()) as T }
    },
  }
  return { visitor, asked }
}

const begun = {
  'POST /api/identity/sign-in': [200, { accessToken: 'token' }],
  'POST /api/cosnap/photos': [201, { id: 'photo' }],
  'POST /api/cosnap/runs': [202, { id: 'run' }],
} as const
const walk = (visitor: Visitor) => cosnap(visitor, { email: 'a@example.com', password: 'three calm words' })

describe('the journey through Cosnap', () => {
  it('tells what went wrong first, also when what it began cannot be taken away', async () => {
    const { visitor, asked } = openService({
      ...begun,
      'GET /api/cosnap/runs/run': [200, { state: 'failed' }],
      'DELETE /api/cosnap/photos/photo': [409, { code: 'in_use' }],
    })
    await expect(walk(visitor)).rejects.toThrow('the step "effect" failed: the effect failed')
    expect(asked).toContain('DELETE /api/cosnap/photos/photo')
  })

  it('fails when what it began cannot be taken away', async () => {
    const { visitor } = openService({
      ...begun,
      'GET /api/cosnap/runs/run': [200, { state: 'done', cost: 2, result: { full: '/media/1' } }],
      'GET /media/1': [200],
      'DELETE /api/cosnap/photos/photo': [500],
    })
    await expect(walk(visitor)).rejects.toThrow('the step "delete" failed: 500')
  })
})
