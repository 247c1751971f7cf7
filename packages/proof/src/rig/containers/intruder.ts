import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ProgramRun, runProgram } from '../run-program.ts'
import type { Container } from './composed.ts'

const root = '/sys/fs/cgroup'

/** The groups of the kernel that limit a container, by what they limit: `memory`, `pids`, `cpu`. */
function groupsOf({ pid }: Pick<Container, 'pid'>): ReadonlyMap<string, string> {
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n')
  return new Map(
    lines.flatMap((line) => {
      const [, controllers = '', path = '/'] = line.split(':')
      return controllers.split(',').map((name) => [name, join(root, name, path)] as const)
    }),
  )
}

/** What the kernel counts for a container: `memory`, `memory.max_usage_in_bytes`. */
export function countOf(container: Pick<Container, 'pid'>, controller: string, file: string): number {
  return Number(readFileSync(join(groupsOf(container).get(controller) ?? '', file), 'utf8'))
}

const PATIENCE_MS = 60_000

/**
 * Runs a script of Node as one of the processes of a container: in its groups, and among its processes, so that it ends
 * with it. The program is ours, as the image holds too little for an intruder. `isSpared`: the kernel, out of memory, ends
 * the first process of the container instead.
 */
export function intrude(
  container: Pick<Container, 'pid'>,
  script: string,
  { isSpared = false } = {},
): Promise<ProgramRun> {
  const joined = ['memory', 'pids', 'cpu'].map((name) => groupsOf(container).get(name) ?? '')
  const steps = [
    ...joined.map((group) => `echo $$ > ${group}/cgroup.procs`),
    ...(isSpared ? [`echo 1000 > /proc/${container.pid}/oom_score_adj`] : []),
    `exec nsenter --target ${container.pid} --pid "$@"`,
  ]
  const words = ['-ec', steps.join('\n'), 'sh', process.execPath, '-e', script]
  return runProgram('sh', words, { timeoutMs: PATIENCE_MS })
}
