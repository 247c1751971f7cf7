import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { HOUR, MINUTE, pause } from '@seaworthy/core'
import { type Config, childEnvironment } from '../config/index.ts'
import {
  identityOf,
  isBackupDue,
  isDrillDue,
  keepShipping,
  placesOf,
  readBackupStatus,
  readDrillStatus,
  readShippingStatus,
  shelvesOf,
} from '../recovery/index.ts'
import { asLogLine, type Logger } from '../telemetry/index.ts'
import { openKeyRing } from '../vault/index.ts'

interface RecoveryParts {
  readonly config: Config
  readonly log: Logger
  readonly signal: AbortSignal
  /** The program that makes a recovery point, and tries it: `<entry> backup`, `<entry> drill`. */
  readonly entry: string
  readonly execArgv: readonly string[]
  readonly onLine: (line: string) => void
}

const LOOK_MS = MINUTE

/** Beside the database as long as it runs: its log goes to the stores at once, and each day there is a recovery point. */
export function keepRecoverable(parts: RecoveryParts): void {
  const { config, log, signal } = parts
  const places = placesOf(config.dataDirectory)
  const shipping = {
    places,
    shelves: shelvesOf(config),
    ring: openKeyRing(config),
    identity: identityOf(places),
    spoolBytesMax: config.backupSpoolBytes,
  }
  void keepShipping(shipping, log, signal)
  void keepSchedule(parts)
}

async function keepSchedule(parts: RecoveryParts): Promise<void> {
  const { config, log, signal } = parts
  const places = placesOf(config.dataDirectory)
  let triedAt: number | undefined
  let drilledAt: number | undefined
  for (await pause(LOOK_MS, signal); !signal.aborted; await pause(LOOK_MS, signal)) {
    try {
      const [backup, shipping] = await Promise.all([readBackupStatus(places), readShippingStatus(places)])
      const due = {
        now: Date.now(),
        atMinutes: config.backupAt,
        verifiedAt: backup?.verifiedAt,
        cutAt: shipping?.cutAt,
      }
      if (isBackupDue({ ...due, triedAt })) {
        triedAt = Date.now()
        await runBeside('backup', parts)
      }
      if (await isTrialDue(parts, drilledAt)) {
        drilledAt = Date.now()
        await runBeside('drill', parts)
      }
    } catch (error) {
      log.error('the schedule of backups could not be looked at; trying again in a minute', {
        runbook: 'backups-behind',
        error,
      })
    }
  }
}

/** One that is killed leaves no report, and is not begun again each minute. */
async function isTrialDue({ config }: RecoveryParts, triedAt: number | undefined): Promise<boolean> {
  if (triedAt !== undefined && Date.now() - triedAt < HOUR) return false
  const places = placesOf(config.dataDirectory)
  const [backup, drill] = await Promise.all([readBackupStatus(places), readDrillStatus(places)])
  return isDrillDue({ now: Date.now(), backup, drill, everyDays: config.drillEveryDays })
}

/** In a process of its own, which may need memory and be ended. What it fails at it tells itself; its own end is told here. */
function runBeside(what: 'backup' | 'drill', { entry, execArgv, onLine, log, signal }: RecoveryParts): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...execArgv, entry, what], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: childEnvironment({}),
      signal,
    })
    const end = (problem: string | undefined): void => {
      if (problem && !signal.aborted)
        log.error('the process that backs up or tries a recovery point ended', {
          runbook: 'backups-behind',
          what,
          problem,
        })
      resolve()
    }
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => onLine(asLogLine(line, what)))
    child.once('error', ({ message }) => end(message))
    child.once('close', (_code, by) => end(by ?? undefined))
  })
}
