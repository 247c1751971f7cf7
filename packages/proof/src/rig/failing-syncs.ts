import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { descendantsOf } from './process-tree.ts'
import type { Rig } from './rig.ts'
import { until } from './wait.ts'

/** The disk under a database that says of each write that it failed. */
export interface FailingSyncs {
  /** How many times a process was told so. */
  count(): number
  stop(): void
}

/** Every `fdatasync` of this process, its children and whoever they start fails with EIO until stopped. Needs strace. */
export async function failSyncs(rig: Rig, pid: number): Promise<FailingSyncs> {
  const output = join(rig.scratch, 'syncs')
  const processes = [pid, ...descendantsOf(pid)]
  const rules = ['-e', 'trace=fdatasync', '-e', 'inject=fdatasync:error=EIO']
  const tracer = spawn(rig.program('strace'), [
    '-f',
    '-o',
    output,
    ...rules,
    ...processes.flatMap((one) => ['-p', String(one)]),
  ])
  let said = ''
  tracer.stderr.on('data', (chunk) => {
    said += chunk
  })
  rig.defer(() => tracer.kill('SIGTERM'))
  await until('strace watches every process', () => {
    if (tracer.exitCode !== null) throw new Error(`strace ended: ${said}`)
    return (said.match(/ attached/g)?.length ?? 0) >= processes.length
  })
  return {
    count: () => readFileSync(output, 'utf8').match(/\(INJECTED\)/g)?.length ?? 0,
    stop: () => void tracer.kill('SIGTERM'),
  }
}
