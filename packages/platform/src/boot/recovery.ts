import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { MINUTE, pause } from '@seaworthy/core'
import { type Config, childEnvironment } from '../config/index.ts'
import {
  identityOf,
  isBackupDue,
  keepShipping,
  placesOf,
  readBackupStatus,
  readShippingStatus,
  shelvesOf,
} from '../recovery/index.ts'
import { asLogLine, type Logger } from '../telemetry/index.ts'
import { openKeyRing } from '../vault/index.ts'

interface RecoveryParts {
  readonly config: Config
  readonly log: Logger
  readonly signal: AbortSignal
  /** The program that makes a recovery point: `<entry> backup`. */
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
  for (await pause(LOOK_MS, signal); !signal.aborted; await pause(LOOK_MS, signal)) {
    try {
      const [backup, shipping] = await Promise.all([readBackupStatus(places), readShippingStatus(places)])
      const due = {
        now: Date.now(),
        atMinutes: config.backupAt,
        verifiedAt: backup?.verifiedAt,
        cutAt: shipping?.cutAt,
      }
      if (!isBackupDue({ ...due, triedAt })) continue
      triedAt = Date.now()
      await runBackup(parts)
    } catch (error) {
      log.error('the schedule of backups could not be looked at; trying again in a minute', {
        runbook: 'backups-behind',
        error,
      })
    }
  }
}

/** In a process of its own, which may need memory and be ended. What it fails at it tells itself; its own end is told here. */
function runBackup({ entry, execArgv, onLine, log, signal }: RecoveryParts): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...execArgv, entry, 'backup'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: childEnvironment({}),
      signal,
    })
    const end = (problem: string | undefined): void => {
      if (problem && !signal.aborted)
        log.error('the process that backs up ended', { runbook: 'backups-behind', problem })
      resolve()
    }
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => onLine(asLogLine(line, 'backup')))
    child.once('error', ({ message }) => end(message))
    child.once('close', (_code, by) => end(by ?? undefined))
  })
}
