import { join } from 'node:path'
import { Secret } from '@seaworthy/core'
import { createSealKey, openHeadsFile, verifyAudit } from '../../audit/index.ts'
import { readSecretFile } from '../../config/index.ts'
import { asOwner, type EmbeddedServer, openClient, type PgSingleClient } from '../../data/index.ts'
import { type KeyRing, openSample, type SealedColumn } from '../../vault/index.ts'

export interface MoreSettings {
  readonly server: EmbeddedServer
  /** The data directory that is being restored, with what other rooms keep in files. */
  readonly dataDirectory: string
  readonly ring: KeyRing
  readonly columns: readonly SealedColumn[]
  /** A row that was committed before the trial began, and was in the store. */
  readonly marker: string | undefined
  readonly auditRetentionMs: number
}

export interface MoreChecked {
  readonly sealedValues: number
  readonly auditLines: number
}

const SAMPLE = 200

/**
 * What a restore does not ask: that what was acknowledged before is there, that sealed values open, and that the audit is
 * as it was written. Throws with the first thing that is not as it must be.
 */
export async function checkMore(settings: MoreSettings): Promise<MoreChecked> {
  const { server } = settings
  const client = await openClient(server.endpoint, server.admin, 'drill')
  try {
    await checkMarker(client, settings.marker)
    const sealedValues = await checkSealed(settings)
    const auditLines = await checkAudit(client, settings)
    return { sealedValues, auditLines }
  } finally {
    await client.end()
  }
}

async function checkMarker(client: PgSingleClient, marker: string | undefined): Promise<void> {
  if (!marker) return
  const { rowCount } = await client.query('select 1 from seaworthy.recovery_sentinels where id = $1', [marker])
  if (rowCount !== 1)
    throw new Error('A row that was committed and archived before the trial is not in the restored database.')
}

async function checkSealed({ server, ring, columns }: MoreSettings): Promise<number> {
  const { endpoint, admin } = server
  const samples = await asOwner(endpoint, admin, 'drill', async (session) => {
    const all = []
    for (const column of columns) all.push(await openSample(session, ring, column, SAMPLE))
    return all
  })
  const unreadable = samples.flatMap((sample) => sample.unreadable)
  const opened = samples.reduce((sum, sample) => sum + sample.opened, 0)
  if (unreadable.length)
    throw new Error(
      `${unreadable.length} of ${opened + unreadable.length} sealed values do not open with these keys, the first in ${unreadable[0]}.`,
    )
  return opened
}

/** With the secret and the ends of chains that were restored: those of an installation that is gone. */
async function checkAudit(client: PgSingleClient, settings: MoreSettings): Promise<number> {
  const { dataDirectory, auditRetentionMs, marker } = settings
  const secret = readSecretFile(join(dataDirectory, 'secrets', 'AUDIT_SECRET'))
  if (!secret) throw new Error('The secret of the audit is not in the recovery point.')
  const known = await openHeadsFile(join(dataDirectory, 'audit')).read()
  await client.query('set role seaworthy_owner')
  const { lines, faults } = await verifyAudit({
    client,
    key: createSealKey(new Secret(secret)),
    known,
    forgottenBefore: Math.max(known.forgottenBefore, Date.now() - auditRetentionMs),
  })
  // The files were read after the copy: without a row from later, their ends of chains may be newer than all of the log.
  const first = faults.find(({ kind }) => marker || kind !== 'truncated')
  if (first)
    throw new Error(
      `The audit of the restored database is not as it was written: chain ${first.chain}${first.seq === undefined ? '' : `, number ${first.seq}`}: ${first.says}.`,
    )
  return lines
}
