import { HOUR, MiB, SECOND } from '@seaworthy/core'
import type { Database } from '../data/index.ts'
import type { Logger } from '../telemetry/index.ts'
import { assetNames, assetType, encodedForms } from './asset-files.ts'
import { keepFiles, readBody, readNames } from './stored-assets.ts'

export interface KeptAsset {
  readonly type: string
  /** Undefined: as it is. */
  readonly encoding: 'br' | 'gzip' | undefined
  readonly body: Buffer
}

export interface KeptAssets {
  /**
   * A file of another release, in the best form among `encodings`; undefined when none had it. Costs nothing of the database
   * for what was asked for lately, and for names that nobody has one question a second, however many ask.
   */
  find(name: string, encodings: readonly string[]): Promise<KeptAsset | undefined>
  stop(): void
}

interface KeptSettings {
  readonly database: Database
  /** Where the files of this release are. */
  readonly directory: string
  readonly log: Logger
}

const SEEN_EVERY_MS = 12 * HOUR
const AGAIN_MS = 60 * SECOND
const NAMES_FOR_MS = SECOND
const REMEMBERED_BYTES_MAX = 8 * MiB
const asItIs = [undefined, ''] as const

/** Keeps the files of this release before any page of it is given out, and from then on says that it runs. */
export async function openKeptAssets({ database, directory, log }: KeptSettings): Promise<KeptAssets> {
  const own = assetNames(directory)
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  const keep = async (): Promise<void> => {
    const isKept = await keepFiles(database, directory, own).then(
      (added) => {
        if (added) log.info('files of the pages are kept for those who have them open', { files: added })
        return true
      },
      (error: unknown) => {
        log.error('the files of the pages could not be kept for those who have them open; trying again', {
          runbook: 'database-gone',
          error,
        })
        return false
      },
    )
    if (!stopped) timer = setTimeout(() => void keep(), isKept ? SEEN_EVERY_MS : AGAIN_MS).unref()
  }
  if (own.length) await keep()
  const names = createNames(() => readNames(database))
  const bodies = createBodies((name) => readBody(database, name))
  return {
    find: async (name, encodings) => {
      const type = assetType(name)
      if (!type || !(await names.has(name))) return undefined
      const accepted = encodedForms.filter(([encoding]) => encodings.includes(encoding))
      for (const [encoding, ending] of [...accepted, asItIs]) {
        const body = names.isKnown(name + ending) ? await bodies.read(name + ending) : undefined
        if (body) return { type, encoding, body }
      }
      return undefined
    },
    stop: () => {
      stopped = true
      clearTimeout(timer)
    },
  }
}

/** What is kept, by name. An unknown name may be of a release that began a moment ago: then it is read anew, at most once a second. */
function createNames(read: () => Promise<ReadonlySet<string>>) {
  let [known, readAt]: [ReadonlySet<string>, number] = [new Set(), Number.NEGATIVE_INFINITY]
  let reading: Promise<void> | undefined
  const readAgain = async (): Promise<void> => {
    const startedAt = performance.now()
    known = await read()
    readAt = startedAt
  }
  return {
    isKnown: (name: string): boolean => known.has(name),
    has: async (name: string): Promise<boolean> => {
      if (known.has(name)) return true
      if (performance.now() - readAt < NAMES_FOR_MS) return false
      reading ??= readAgain().finally(() => {
        reading = undefined
      })
      await reading
      return known.has(name)
    },
  }
}

/** What was asked for lately stays in memory; many who ask at once are one question. */
function createBodies(read: (name: string) => Promise<Buffer | undefined>) {
  const remembered = new Map<string, Buffer>()
  const reading = new Map<string, Promise<Buffer | undefined>>()
  let bytes = 0
  const remember = (name: string, body: Buffer): void => {
    remembered.set(name, body)
    bytes += body.length
    for (const [oldest, { length }] of remembered) {
      if (bytes <= REMEMBERED_BYTES_MAX) return
      remembered.delete(oldest)
      bytes -= length
    }
  }
  const fetchOnce = (name: string): Promise<Buffer | undefined> => {
    const asked =
      reading.get(name) ??
      read(name)
        .then((body) => {
          if (body) remember(name, body)
          return body
        })
        .finally(() => reading.delete(name))
    reading.set(name, asked)
    return asked
  }
  return { read: async (name: string) => remembered.get(name) ?? fetchOnce(name) }
}
