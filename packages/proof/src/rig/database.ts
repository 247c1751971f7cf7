import pg from 'pg'

export type DatabaseClient = pg.Client
export type DatabaseRole = 'admin' | 'app' | 'worker' | 'reader'

/** One connection, as `psql` would have it. The caller ends it. */
export async function openClient(url: string): Promise<DatabaseClient> {
  const client = new pg.Client({ connectionString: url, application_name: 'prove' })
  client.on('error', () => undefined)
  await client.connect()
  return client
}
