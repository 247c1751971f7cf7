import { fork } from 'node:child_process'
import { join } from 'node:path'
import type { CrowdOrder, CrowdReport } from './crowd-member.ts'
import { bareEnvironment } from './environment.ts'
import type { Rig } from './rig.ts'

/** Many sockets in a process of their own, which can be frozen. */
export interface Crowd {
  readonly pid: number
  /** The address of loopback from which its sockets come. */
  readonly from: string
  /** Resolves when all are open and watch. */
  open(sockets: { readonly port: number; readonly idle: boolean; readonly tokens: readonly string[] }): Promise<void>
  report(): Promise<CrowdReport>
}

/** Compiled, also when this runs from its source. */
const memberFile = join(import.meta.dirname.replace(/([\\/])src([\\/]rig)$/, '$1dist$2'), 'crowd-member.js')
let crowds = 1

export function startCrowd(rig: Rig): Crowd {
  const child = fork(memberFile, [], { execArgv: [], env: bareEnvironment() })
  // A frozen one hears no other signal.
  rig.defer(() => child.kill('SIGKILL'))
  const ended = new Promise<never>((_, reject) =>
    child.once('exit', () => reject(new Error('the process of the sockets ended'))),
  )
  ended.catch(() => undefined)
  const ask = (order: CrowdOrder): Promise<unknown> => {
    const answer = new Promise<unknown>((resolve, reject) =>
      child.once('message', (told: { error?: string }) =>
        told.error === undefined ? resolve(told) : reject(new Error(told.error)),
      ),
    )
    child.send(order)
    return Promise.race([answer, ended])
  }
  const from = `127.0.0.${++crowds % 250}`
  return {
    pid: child.pid ?? 0,
    from,
    open: async (sockets) => void (await ask({ kind: 'open', from, ...sockets })),
    report: async () => (await ask({ kind: 'report' })) as CrowdReport,
  }
}
