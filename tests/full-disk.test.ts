import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Installation, jpegPhoto, openInstallation, statusOf, until } from '@seaworthy/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** Needs to mount a small disk; without the right to do so these are reported as not run. */
const disk = mkdtempSync(join(tmpdir(), 'small-disk-'))
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=420m', 'tmpfs', disk]).status === 0

describe.skipIf(!mounted)('on a full disk', () => {
  let installation: Installation
  const ballast = join(disk, 'ballast')
  beforeAll(async () => {
    const directory = join(disk, 'data')
    mkdirSync(directory, { mode: 0o700 })
    installation = await openInstallation({ dataDirectory: directory })
  })
  afterAll(async () => {
    rmSync(ballast, { force: true })
    await installation.close()
    spawnSync('umount', ['-l', disk])
    rmSync(disk, { recursive: true, force: true })
  })

  const fill = (leaveBytes: number): void => {
    const { bavail, bsize } = statfsSync(disk)
    writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - leaveBytes)))
  }

  it('refuses an upload with 503, keeps no half of it, reads on, and works again by itself when there is space', {
    timeout: 120_000,
  }, async () => {
    const person = await installation.newcomer()
    const upload = async () =>
      person.fetch('/api/cosnap/photos?name=a.jpg', { method: 'POST', body: await jpegPhoto(3_000, 2_000) })
    const list = async () => (await (await person.fetch('/api/cosnap/photos')).json()).items.length
    expect((await upload()).status).toBe(201)
    fill(200_000)
    const refused = await upload()
    expect(refused.status).toBe(503)
    expect((await refused.json()).code).toMatch(/storage_full|unavailable/)
    await until(
      'the database only reads',
      async () => installation.output().includes('the database only reads'),
      10_000,
    )
    expect(await list()).toBe(1)
    rmSync(ballast)
    await until('it is ready again', async () => (await statusOf(`${installation.url}/health/ready`)) === 200, 60_000)
    expect(await list()).toBe(1)
    await until('an upload goes through', async () => (await upload()).status === 201, 30_000)
    expect(await list()).toBe(2)
  })

  it('does not make a database where there is no room for it, and says so in one line', {
    timeout: 120_000,
  }, async () => {
    fill(50 * 1_048_576)
    const cramped = await openInstallation({ dataDirectory: join(disk, 'cramped'), mayFail: true })
    await until('it gave up', () => cramped.exitCode() !== undefined, 30_000)
    expect(cramped.output()).toMatch(/There are only \d+ MB free for .*; the database needs 200\.\n\s+HINT: make space/)
    rmSync(ballast)
  })
})
