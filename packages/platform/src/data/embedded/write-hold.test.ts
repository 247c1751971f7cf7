import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { holdWrites } from './write-hold.ts'

const directory = mkdtempSync(join(tmpdir(), 'write-hold-'))
const path = join(directory, 'database', 'postgresql.auto.conf')
const kept = "# größer\nwork_mem = '8MB'\n"
beforeAll(() => {
  holdWrites(directory, true)
  mkdirSync(join(directory, 'database'))
  writeFileSync(path, kept)
})
afterAll(() => rmSync(directory, { recursive: true }))

it('changes one value where it stands, so that no space is needed, and leaves all other settings', () => {
  holdWrites(directory, true)
  const held = readFileSync(path, 'utf8')
  expect(held).toBe(`${kept}default_transaction_read_only = on \n`)
  holdWrites(directory, true)
  expect(readFileSync(path, 'utf8')).toBe(held)
  holdWrites(directory, false)
  expect(readFileSync(path, 'utf8')).toBe(`${kept}default_transaction_read_only = off\n`)
})
