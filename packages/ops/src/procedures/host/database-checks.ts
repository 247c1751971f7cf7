import { MINUTE } from '@seaworthy/core'
import type { Check } from './check.ts'
import type { Host } from './host.ts'
import type { Source } from './source.ts'

const ASK_MS = MINUTE

interface Told {
  readonly pending?: readonly string[]
  /** Not told by releases of before. */
  readonly missingKeys?: readonly string[]
}

/** Asked of the release itself: its settings are complete, the database answers, its history is known, and so are its keys. */
export async function askDatabase(
  host: Host,
  { release, origin }: Source,
  signal?: AbortSignal,
): Promise<readonly Check[]> {
  const how = { timeoutMs: ASK_MS, isOwner: true, origin, ...(signal ? { signal } : {}) }
  const asked = await host.command(release.id, ['migrate', '--dry-run', '--json'], how).catch((error: Error) => error)
  if (asked instanceof Error)
    return [{ name: 'database', ok: false, found: asked.message, remedy: `the settings are in ${host.layout.shared}` }]
  const { pending = [], missingKeys } = JSON.parse(asked) as Told
  const found = pending.length ? `the database will get ${pending.length} migrations` : 'the database is up to date'
  return [{ name: 'database', ok: true, found }, checkKeys(missingKeys)]
}

function checkKeys(missing: readonly string[] | undefined): Check {
  if (!missing) return { name: 'key ring', ok: true, found: 'the key ring was not compared: this release cannot' }
  return missing.length === 0
    ? { name: 'key ring', ok: true, found: 'the key ring has every key that the database is sealed with' }
    : {
        name: 'key ring',
        ok: false,
        found: `The database is sealed with keys that are not in the key ring: ${missing.join(', ')}.`,
        remedy:
          'put the key with this fingerprint into ENCRYPTION_KEY or ENCRYPTION_KEYS_OLD, or bring it back: seaworthy keys restore FILE',
      }
}
