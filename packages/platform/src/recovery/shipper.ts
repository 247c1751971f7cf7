import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pause, SECOND } from '@seaworthy/core'
import type { Logger } from '../telemetry/index.ts'
import type { Places } from './places.ts'
import { type Shipped, type ShipParts, shipOnce } from './ship.ts'

/** How the archive is, written down each round for whoever watches. */
export interface ShippingStatus {
  /** In milliseconds since 1970. */
  readonly at: number
  readonly waitingBytes: number
  readonly waitingSince: number | undefined
  /** Since when segments were given up; from then on only the next recovery point helps. */
  readonly cutAt: number | undefined
  readonly problems: Shipped['problems']
  readonly isIdle: boolean
}

const EVERY_MS = SECOND
const WARN_AGAIN_MS = 60 * SECOND

export const shippingPathOf = ({ recovery }: Places): string => join(recovery, 'shipping.json')

/** Ships as long as it is not told to stop. What goes wrong is told, and tried again each second. */
export async function keepShipping(parts: ShipParts, log: Logger, signal: AbortSignal): Promise<void> {
  const erasures = new Map<string, string>()
  let [cutAt, told, toldAt]: [number | undefined, string, number] = [undefined, '', 0]
  for (; !signal.aborted; await pause(EVERY_MS, signal)) {
    try {
      const shipped = await shipOnce({ ...parts, erasures })
      if (shipped.givenUp.length) {
        cutAt = Date.now()
        log.error('the archive is cut: what waited for a store was more than BACKUP_SPOOL_MAX; HINT: seaworthy backup', {
          first: shipped.givenUp[0],
          segments: shipped.givenUp.length,
        })
      }
      const problem = shipped.problems.map(({ store, problem }) => `${store}: ${problem}`).join('; ')
      if (problem && (problem !== told || Date.now() - toldAt > WARN_AGAIN_MS)) {
        log.error('a store does not take the archive', { problem, waitingBytes: shipped.waitingBytes })
        toldAt = Date.now()
      } else if (!problem && told) log.info('every store takes the archive again')
      told = problem
      const { waitingBytes, waitingSince, problems, isIdle } = shipped
      await writeStatus(parts.places, { at: Date.now(), waitingBytes, waitingSince, cutAt, problems, isIdle })
    } catch (error) {
      if ((error as Error).message !== told) log.error('the archive could not be shipped; trying again each second', { error })
      told = (error as Error).message
    }
  }
}

async function writeStatus(places: Places, status: ShippingStatus): Promise<void> {
  const path = shippingPathOf(places)
  await mkdir(places.recovery, { recursive: true, mode: 0o700 })
  await writeFile(`${path}.draft`, JSON.stringify(status), { mode: 0o600 })
  await rename(`${path}.draft`, path)
}
