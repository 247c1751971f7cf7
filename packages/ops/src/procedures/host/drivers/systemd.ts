import { execFile } from 'node:child_process'
import { SECOND } from '@seaworthy/core'
import type { Layout } from '../layout.ts'
import { ownAddress } from '../own-address.ts'
import type { Runner } from '../runner.ts'
import { untilTrue } from '../wait.ts'

type Argv = readonly [program: string, ...args: string[]]

export const unitOf = (name: string, release: string): string => `${name}@${release}.service`
/** Enabled: the machine starts it again after it was started again itself. */
export const startUnit = (unit: string): Argv => ['systemctl', 'enable', '--now', '--no-block', unit]
export const stopUnit = (unit: string): Argv => ['systemctl', 'disable', '--now', '--no-block', unit]
export const killUnit = (unit: string): Argv => ['systemctl', 'kill', '--signal=SIGKILL', unit]
export const askUnit = (unit: string): Argv => ['systemctl', 'show', '--property=ActiveState', '--value', unit]
const countRestarts = (unit: string): Argv => ['systemctl', 'show', '--property=NRestarts', '--value', unit]
export const readUnit = (unit: string): Argv => [
  'journalctl',
  '--no-pager',
  '--lines=40',
  '--output=cat',
  `--unit=${unit}`,
]

/** Each release as an instance of the template `<name>@.service`, which systemd keeps, also over a restart of the machine. */
export function openSystemdRunner(name: string, layout: Layout): Runner {
  const isActive = async (release: string): Promise<boolean> =>
    ['active', 'activating', 'deactivating', 'reloading'].includes((await run(askUnit(unitOf(name, release)))).trim())
  return {
    name: 'systemd',
    prepare: (release) => ownAddress(layout, release),
    start: async (release) => void (await run(startUnit(unitOf(name, release)))),
    stop: async (release, deadlineMs) => {
      const unit = unitOf(name, release)
      await run(stopUnit(unit))
      const isGone = async (): Promise<boolean> => !(await isActive(release))
      if (await untilTrue(isGone, deadlineMs)) return
      await run(killUnit(unit))
      await untilTrue(isGone, KILL_MS)
    },
    isAlive: isActive,
    restarts: async (release) => Number(await run(countRestarts(unitOf(name, release)))),
    forget: async () => undefined,
    logs: (release) => run(readUnit(unitOf(name, release))),
  }
}

const KILL_MS = 10 * SECOND

const run = ([program, ...args]: Argv): Promise<string> =>
  new Promise((resolve, reject) =>
    execFile(program, args, (error, stdout, stderr) =>
      error ? reject(new Error(`${program} ${args.join(' ')}: ${stderr.trim() || error.message}`)) : resolve(stdout),
    ),
  )
