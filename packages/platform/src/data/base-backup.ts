import { type Endpoint, type Login, openReplicationClient } from './drivers/pg.ts'

export interface BaseBackup {
  readonly timeline: number
  /** `0/3000028`: replaying begins here, and the copy is consistent from the end on. */
  readonly startLsn: string
  readonly endLsn: string
}

interface PositionRow {
  readonly recptr: string
  readonly tli: string | number
}

/**
 * The server writes a copy of itself as `base.tar` and `backup_manifest` into `directory`, an absolute path that does
 * not exist yet, on its own machine. The copy has the log that it needs to be consistent.
 */
export async function takeBaseBackup(
  endpoint: Endpoint,
  admin: Login,
  { label, directory }: { readonly label: string; readonly directory: string },
): Promise<BaseBackup> {
  const client = await openReplicationClient(endpoint, admin, 'backup')
  try {
    const results = [
      await client.query<PositionRow>(
        `BASE_BACKUP (LABEL ${client.escapeLiteral(label)}, CHECKPOINT 'fast', WAL true, TARGET 'server', ` +
          `TARGET_DETAIL ${client.escapeLiteral(directory)}, MANIFEST 'yes', MANIFEST_CHECKSUMS 'SHA256')`,
      ),
    ].flat()
    const positions = results.flatMap(({ rows }) => rows).filter((row) => row.recptr && row.tli)
    const [start, end] = [positions[0], positions.at(-1)]
    if (!start || !end || positions.length < 2)
      throw new Error('the server did not say from where to where its copy is')
    return { timeline: Number(end.tli), startLsn: start.recptr, endLsn: end.recptr }
  } finally {
    await client.end()
  }
}
