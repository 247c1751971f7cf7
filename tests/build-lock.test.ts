import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { oneAtATime } from '../scripts/build-lock.js'

const script = pathToFileURL(join(import.meta.dirname, '..', 'scripts', 'build-lock.js')).href

/** Something that others wait for, and its end. */
function openGate(): { readonly passed: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { passed, open }
}

describe('a build', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'build-'))
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  it('waits until nobody else builds in the same folder', async () => {
    const [first, waits] = [openGate(), openGate()]
    const order: string[] = []
    const one = oneAtATime(directory, () => first.passed.then(() => void order.push('first')))
    const other = oneAtATime(directory, async () => void order.push('second'), waits.open)
    await waits.passed
    expect(order).toEqual([])
    first.open()
    await Promise.all([one, other])
    expect(order).toEqual(['first', 'second'])
  })

  it('waits for nobody in another folder', async () => {
    const gate = openGate()
    const one = oneAtATime(directory, () => gate.passed)
    expect(await oneAtATime(`${directory}/other`, async () => 'built')).toBe('built')
    gate.open()
    await one
  })

  it('begins when the one before failed', async () => {
    await expect(oneAtATime(directory, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await oneAtATime(directory, async () => 'built')).toBe('built')
  })

  it('begins when the one before was killed', async () => {
    const text = `import { oneAtATime } from ${JSON.stringify(script)}
      await oneAtATime(${JSON.stringify(directory)}, () => { console.log('held'); return new Promise(() => setInterval(() => {}, 1000)) })`
    const holder = spawn(process.execPath, ['--input-type=module', '-e', text], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(holder.stdout, 'data')
    const waits = openGate()
    const built = oneAtATime(directory, async () => 'built', waits.open)
    await waits.passed
    holder.kill('SIGKILL')
    expect(await built).toBe('built')
  })
})
