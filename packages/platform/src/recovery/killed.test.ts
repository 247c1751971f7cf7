import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type ArchivedDatabase, openArchivedDatabase } from '@seaworthy/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findRestic } from './drivers/restic.ts'
import { isPointId, listPoints } from './point.ts'
import { parseTarget, planRestore } from './restore-plan.ts'

describe('what is killed', () => {
  let archived: ArchivedDatabase
  let last = 0
  beforeAll(async () => {
    archived = await openArchivedDatabase()
    await archived.admin().query('create table public.notes (id int primary key)')
    await archived.backUp()
  })
  afterAll(() => archived.close())

  const note = (): Promise<unknown> => archived.admin().query('insert into public.notes values ($1)', [++last])
  const newest = async (): Promise<number> =>
    (await archived.admin().query<{ last: number }>('select max(id) as last from public.notes')).rows[0]?.last ?? 0

  /** How it ended, and what it said. */
  function once(
    what: string,
    step: string,
    more = '',
  ): Promise<{ signal: NodeJS.Signals | null; code: number | null; said: string }> {
    const program = join(import.meta.dirname, 'testing', 'once.ts')
    const args = [what, archived.places.dataDirectory, archived.shelves[0]?.name ?? '', step, more]
    return new Promise((resolve) => {
      const child = spawn(process.execPath, ['--import', 'tsx', '-C', 'source', program, ...args], {
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      let said = ''
      child.stderr.on('data', (chunk) => {
        said += chunk
      })
      child.once('close', (code, signal) => resolve({ signal, code, said }))
    })
  }

  it.each([
    ['copy the database', 0],
    ['save the copy', 0],
    ['write the sentinel', 0],
    ['bring files', 0],
    ['wait for the log', 0],
    ['write the point', 0],
    ['forget old points', 1],
  ])('in a backup, when it begins to %s, leaves every point whole', { timeout: 180_000 }, async (step, more) => {
    const before = await listPoints(await archived.store())
    const { signal, said } = await once('backup', step, String(archived.server().endpoint.port))
    expect([signal, said]).toEqual(['SIGKILL', ''])
    const store = await archived.store()
    const after = await listPoints(store)
    expect(after).toHaveLength(before.length + more)
    expect(after.every(({ point }) => point)).toBe(true)
    await note()
    await archived.archive()
    expect((await planRestore(store, parseTarget('latest'))).chain.gap).toBeUndefined()
  })

  it('is followed by a backup that removes what was left, and a restore', { timeout: 300_000 }, async () => {
    await archived.backUp()
    const store = await archived.store()
    const names = (await listPoints(store)).map(({ id }) => id)
    const snapshots = await findRestic(undefined).snapshots(store)
    expect(snapshots.flatMap(({ tags }) => tags.filter(isPointId)).sort()).toEqual(names)
    expect(readdirSync(archived.places.staging)).toEqual([])
    await archived.restoreInto(archived.scratch('after'))
  })

  const steps = ['read the base', 'replay the log', 'check the database', 'take its place']
  it.each(steps)(
    'in a restore beside, when it begins to %s, leaves nothing that looks like a database',
    { timeout: 180_000 },
    async (step) => {
      const directory = archived.scratch('beside')
      const { signal, said } = await once('beside', step, directory)
      expect([signal, said]).toEqual(['SIGKILL', ''])
      expect(existsSync(directory)).toBe(false)
    },
  )

  it.each(steps.slice(2))(
    'in a restore in place, when it begins to %s, leaves the database that was there',
    { timeout: 180_000 },
    async (step) => {
      await note()
      await archived.archive()
      await archived.stop()
      try {
        const { signal, said } = await once('in-place', step)
        expect([signal, said]).toEqual(['SIGKILL', ''])
      } finally {
        await archived.start()
      }
      expect(await newest()).toBe(last)
    },
  )

  it('does not keep the next restore from ending well', { timeout: 300_000 }, async () => {
    const directory = archived.scratch('beside')
    expect((await once('beside', '', directory)).said).toBe('')
    expect(existsSync(join(directory, 'database', 'PG_VERSION'))).toBe(true)
    await archived.stop()
    const { said } = await once('in-place', '')
    await archived.start()
    expect(said).toBe('')
    expect(await newest()).toBe(last)
  })
})
