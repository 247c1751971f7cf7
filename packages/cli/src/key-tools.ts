import { readConfig } from '@seaworthy/platform/config'
import { asOwner } from '@seaworthy/platform/data'
import {
  type KeyTools,
  lockKeys,
  openKeyRing,
  platformSealedColumns,
  rememberRingOrThrow,
  sealedColumnsOf,
} from '@seaworthy/platform/vault'
import { adminAddress } from './database.ts'
import { findPlace, loadSystem } from './place.ts'

/** Works on the keys of this installation and on what they seal, one such work at a time. Its database must run. */
export async function withKeyTools<T>(work: (tools: KeyTools) => Promise<T>): Promise<T> {
  const place = findPlace()
  const config = readConfig(place.directory)
  const { apps } = await loadSystem(place)
  const ring = openKeyRing(config)
  const columns = [...platformSealedColumns, ...sealedColumnsOf(apps.flatMap((app) => app.tables))]
  const { endpoint, admin } = adminAddress(config)
  return asOwner(endpoint, admin, 'keys', async (session) => {
    await lockKeys({ session })
    await rememberRingOrThrow(session, ring)
    return work({ session, ring, config, columns })
  }).catch((error: Error & { code?: string }) => {
    if (error.code !== 'ECONNREFUSED') throw error
    throw new Error('The database does not run.\n    HINT: npm start, and then this in another window', {
      cause: error,
    })
  })
}
