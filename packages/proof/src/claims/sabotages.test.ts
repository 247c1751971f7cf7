import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { PatchSabotage } from '../sabotage.ts'
import { loadClaims } from './index.ts'

const root = join(import.meta.dirname, '..', '..', '..', '..')
const claims = await loadClaims()
const patches = claims.flatMap(({ id, sabotages }) =>
  sabotages
    .filter((sabotage): sabotage is PatchSabotage => sabotage.kind === 'patch' && sabotage.file.includes('/src/'))
    .map((sabotage) => ({ id, ...sabotage })),
)

describe('the sabotages of all claims', () => {
  it.each(patches)('$id ($name): the text that it replaces is there once', ({ file, find }) => {
    const text = readFileSync(join(root, file), 'utf8')
    expect(text.split(find).length - 1, `${file}: ${find}`).toBe(1)
  })
})
