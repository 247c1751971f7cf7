import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pause, SECOND } from '@seaworthy/core'
import type { Logger } from '../telemetry/index.ts'
import { readJson } from './json-file.ts'
import type { Places } from './places.ts'
import { type ShipParts, type Shipped, shipOnce } from './ship.ts'

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

const shippingPathOf = ({ recovery }: Places): string => join(recovery, 'shipping.json')

/** What the archive was like when it was last looked after. */
export const readShippingStatus = (places: Places): Promise<ShippingStatus | undefined> =>
  readJson<ShippingStatus>(shippingPathOf(places))

/** Ships as long as it is not told to stop. What goes wrong is told, and tried again each second. */
export async function keepShipping(parts: ShipParts, log: Logger, signal: AbortSignal): Promise<void> {
  const erasures = new Map<string, string>()
  const tell = createTeller(log)
  // Where it cannot be read it cannot be written either, and that is told below.
  const before = await readShippingStatus(parts.places).catch(() => undefined)
  let cutAt = before?.cutAt
  for (; !signal.aborted; await pause(EVERY_MS, signal)) {
    try {
      const shipped = await shipOnce({ ...parts, erasures })
      if (shipped.givenUp.length) {
        cutAt = Date.now()
        log.error(cutWords, { runbook: 'backups-behind', first: shipped.givenUp[0], segments: shipped.givenUp.length })
      }
      tell(shipped.problems.map(({ store, problem }) => `${store}: ${problem}`).join('; '), shipped.waitingBytes)
      const { waitingBytes, waitingSince, problems, isIdle } = shipped
      await writeStatus(parts.places, { at: Date.now(), waitingBytes, waitingSince, cutAt, problems, isIdle })
    } catch (error) {
      tell((error as Error).message, 0)
    }
  }
}

const cutWords = 'the archive is cut: what waited for a store was more than BACKUP_SPOOL_MAX; HINT: seaworthy backup'

/** A problem when it is new, and once a minute; and that it is over. */
function createTeller(log: Logger): (problem: string, waitingBytes: number) => void {
  let [told, toldAt] = ['', 0]
  return (problem, waitingBytes) => {
    if (problem && (problem !== told || Date.now() - toldAt > WARN_AGAIN_MS)) {
      log.error('a store does not take the archive', { runbook: 'backups-behind', problem, waitingBytes })
      toldAt = Date.now()
    } else if (!problem && told) log.info('every store takes the archive again')
    told = problem
  }
}

async function writeStatus(places: Places, status: ShippingStatus): Promise<void> {
  const path = shippingPathOf(places)
  await mkdir(places.recovery, { recursive: true, mode: 0o700 })
  await writeFile(`${path}.draft`, JSON.stringify(status), { mode: 0o600 })
  await rename(`${path}.draft`, path)
}
