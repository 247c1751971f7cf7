import { statfs } from 'node:fs/promises'
import { MiB, pause, SECOND } from '@seaworthy/core'
import { holdWrites } from '../data/index.ts'
import type { Logger } from '../telemetry/index.ts'

const RESERVE_PART = 0.02
const RESERVE_MIN_BYTES = 32 * MiB
const RESERVE_MAX_BYTES = 256 * MiB
/** Above the reserve, so that what is written with the last of it does not change the answer again. */
const AGAIN_PART = 1.25
const LOOK_MS = SECOND

interface Space {
  readonly freeBytes: number
  /** What is left free: a fiftieth of the disk, within bounds. */
  readonly reserveBytes: number
}

async function readSpace(directory: string): Promise<Space> {
  const { bavail, blocks, bsize } = await statfs(directory)
  const reserveBytes = Math.min(RESERVE_MAX_BYTES, Math.max(RESERVE_MIN_BYTES, blocks * bsize * RESERVE_PART))
  return { freeBytes: bavail * bsize, reserveBytes }
}

/** A health check: throws when the disk has less than its reserve. */
export async function checkSpace(directory: string): Promise<void> {
  const { freeBytes, reserveBytes } = await readSpace(directory)
  if (freeBytes < reserveBytes)
    throw new Error(
      `${megabytes(freeBytes)} MB are free on the disk of DATA_DIR, fewer than ${megabytes(reserveBytes)}`,
    )
}

const megabytes = (bytes: number): number => Math.floor(bytes / MiB)

/**
 * While the disk has less than its reserve the embedded database only reads. A database that writes until nothing is
 * left ends, and cannot start again: then nobody reads either.
 */
export async function keepReserve(dataDirectory: string, log: Logger, signal: AbortSignal): Promise<void> {
  let [isHeld, isBlind] = [false, false]
  for (; !signal.aborted; await pause(LOOK_MS, signal)) {
    try {
      const { freeBytes, reserveBytes } = await readSpace(dataDirectory)
      const isShort = freeBytes < reserveBytes * (isHeld ? AGAIN_PART : 1)
      if (isShort === isHeld) continue
      holdWrites(dataDirectory, isShort)
      ;[isHeld, isBlind] = [isShort, false]
      if (isHeld)
        log.error(
          'the disk of DATA_DIR is nearly full: the database only reads until there is space; HINT: make space',
          {
            runbook: 'disk-full',
            freeBytes,
            reserveBytes,
          },
        )
      else log.info('there is space again: the database writes', { freeBytes })
    } catch (error) {
      if (!isBlind)
        log.error('the disk of DATA_DIR cannot be looked after; trying again each second', {
          runbook: 'disk-full',
          error,
        })
      isBlind = true
    }
  }
}
