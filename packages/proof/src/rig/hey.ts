import type { Rig } from './rig.ts'
import { runProgram } from './run-program.ts'

export interface HeyRun {
  /** How many answers had which status. */
  readonly statuses: Readonly<Record<string, number>>
  /** Requests without an answer. */
  readonly errors: number
}

const PATIENCE_MS = 600_000

/** As many requests for one address as fast as a few connections allow. The claim needs `hey`. */
export async function hey(
  rig: Rig,
  { url, requests, connections, token }: { url: string; requests: number; connections: number; token: string },
): Promise<HeyRun> {
  const args = [
    '-n',
    String(requests),
    '-c',
    String(connections),
    '-t',
    '10',
    '-H',
    `Authorization: Bearer ${token}`,
    url,
  ]
  const { stdout } = await runProgram(rig.program('hey'), args, { timeoutMs: PATIENCE_MS })
  const [counted = '', failed = ''] = stdout.split('Error distribution:')
  const sum = (text: string, form: RegExp): number =>
    [...text.matchAll(form)].reduce((all, [, count]) => all + Number(count), 0)
  return {
    statuses: Object.fromEntries(
      [...counted.matchAll(/\[(\d{3})\]\s+(\d+) responses/g)].map(([, status, n]) => [status, Number(n)]),
    ),
    errors: sum(failed, /\[(\d+)\]/g),
  }
}
