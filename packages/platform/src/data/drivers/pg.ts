import pg from 'pg'

/** The one file that imports `pg`: pools and clients with our settings on them. */
export type PgPool = pg.Pool
export type PgClient = pg.PoolClient
export type PgSingleClient = pg.Client

/** Where a server listens; the user and password come from the role. */
export interface Endpoint {
  readonly host: string
  readonly port: number
  readonly database: string
  /** `verify` checks the server's certificate, and that it is for this host. */
  readonly tls: 'off' | 'verify'
  /** The authority that must have signed it, as PEM; the system's authorities when undefined. */
  readonly ca?: string
  /** The database whose roles these are, when this one was cloned from it. */
  readonly rolesOf?: string
}

export interface Login {
  readonly user: string
  readonly password: string
}

export interface PoolLimits {
  readonly max: number
  readonly waitMs: number
  readonly statementMs: number
  readonly transactionMs: number
}

const INT8 = 20
const CLIENT_GRACE_MS = 2_000
const IDLE_MS = 60_000

pg.types.setTypeParser(INT8, (text) => {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new Error(`bigint out of range: ${text}`)
  return value
})

/** A pool whose connections end a statement and a transaction that take too long, on the server and here. */
export function openPool(endpoint: Endpoint, login: Login, name: string, limits: PoolLimits): PgPool {
  const pool = new pg.Pool({
    ...clientSettings(endpoint, login, name),
    max: limits.max,
    connectionTimeoutMillis: limits.waitMs,
    idleTimeoutMillis: IDLE_MS,
    statement_timeout: limits.statementMs,
    query_timeout: limits.statementMs + CLIENT_GRACE_MS,
    idle_in_transaction_session_timeout: limits.transactionMs,
    options: `-c transaction_timeout=${limits.transactionMs}`,
    pipeline: true,
  } as pg.PoolConfig)
  surviveBrokenConnections(pool)
  return pool
}

/** A pool for a library that brings its own queries (no pipelining, no statement limit). */
export function openPlainPool(endpoint: Endpoint, login: Login, name: string, max: number): PgPool {
  const pool = new pg.Pool({ ...clientSettings(endpoint, login, name), max, idleTimeoutMillis: IDLE_MS })
  surviveBrokenConnections(pool)
  return pool
}

/** Ends every connection that is open, also one on which somebody waits for an answer that may never come. */
export function breakConnections(pool: PgPool): void {
  for (const client of connectionsOf.get(pool) ?? []) client.connection.stream.destroy()
}

const connectionsOf = new WeakMap<PgPool, Set<PgClient>>()

/** Several statements without parameters in one message, and all their results. */
export async function allOf<Row extends pg.QueryResultRow>(
  client: PgClient,
  statements: string,
): Promise<readonly pg.QueryResult<Row>[]> {
  // The types know of one result only.
  return [await client.query<Row>(statements)].flat()
}

/** A connection that breaks, idle or in use, is dropped by the pool, and the query under way reports what is wrong. */
function surviveBrokenConnections(pool: PgPool): void {
  const ignore = (): void => undefined
  const open = new Set<PgClient>()
  connectionsOf.set(pool, open)
  pool.on('error', ignore)
  pool.on('remove', (client) => open.delete(client))
  pool.on('connect', (client) => {
    open.add(client)
    client.on('error', ignore)
  })
}

/** One connection of its own, for locks, LISTEN and migrations. The caller ends it. */
export async function openClient(
  endpoint: Endpoint,
  login: Login,
  name: string,
  connectMs = 5_000,
): Promise<PgSingleClient> {
  return connect({ ...clientSettings(endpoint, login, name), connectionTimeoutMillis: connectMs })
}

/** One that is as impatient about every answer as about the connection. */
export const openImpatientClient = (
  endpoint: Endpoint,
  login: Login,
  name: string,
  answerMs: number,
): Promise<PgSingleClient> =>
  connect({
    ...clientSettings(endpoint, login, name),
    connectionTimeoutMillis: answerMs,
    query_timeout: answerMs,
    pipeline: true,
  } as pg.ClientConfig)

/** One that takes the next statement while the one before is under way. */
export const openPipelinedClient = (endpoint: Endpoint, login: Login, name: string): Promise<PgSingleClient> =>
  connect({ ...clientSettings(endpoint, login, name), pipeline: true } as pg.ClientConfig)

/** One that speaks the replication protocol too, for base backups. */
export const openReplicationClient = (endpoint: Endpoint, login: Login, name: string): Promise<PgSingleClient> =>
  connect({ ...clientSettings(endpoint, login, name), replication: 'database' } as pg.ClientConfig)

async function connect(settings: pg.ClientConfig): Promise<PgSingleClient> {
  const client = new pg.Client(settings)
  client.on('error', () => {
    // Reported by the query under way, or by 'end'.
  })
  await client.connect()
  return client
}

function clientSettings(endpoint: Endpoint, login: Login, name: string) {
  return {
    host: endpoint.host,
    port: endpoint.port,
    database: endpoint.database,
    user: login.user,
    password: login.password,
    application_name: `seaworthy-${name}`,
    keepAlive: true,
    ...(endpoint.tls === 'verify' ? { ssl: { rejectUnauthorized: true, ca: endpoint.ca } } : {}),
  }
}
