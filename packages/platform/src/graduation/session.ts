import { type Endpoint, type Login, openClient, openPipelinedClient, type PgSingleClient } from '../data/index.ts'

/** One of the two databases, with a login that may do anything in it. */
export interface Side {
  readonly endpoint: Endpoint
  readonly admin: Login
}

export type Session = PgSingleClient

/** A server under load may take long; nobody waits for us meanwhile. */
const CONNECT_MS = 30_000

/** Both write the same value as the same text, whatever is set there; nothing ends because it takes long. */
const plain = `set timezone = 'UTC'; set datestyle = 'ISO, MDY'; set intervalstyle = 'postgres'; set extra_float_digits = 1;
  set bytea_output = 'hex'; set synchronous_commit = on; set statement_timeout = 0; set idle_in_transaction_session_timeout = 0; set transaction_timeout = 0;
  set session characteristics as transaction read write`
/** Servers before 17 do not know the setting. */
const older = plain.replace('set transaction_timeout = 0;', '')

export const openSession = ({ endpoint, admin }: Side): Promise<Session> =>
  prepared(openClient(endpoint, admin, 'graduate', CONNECT_MS))

/** For many statements that need not wait for each other. */
export const openBusySession = ({ endpoint, admin }: Side): Promise<Session> =>
  prepared(openPipelinedClient(endpoint, admin, 'graduate'))

async function prepared(opening: Promise<Session>): Promise<Session> {
  const session = await opening
  await session.query(plain).catch(() => session.query(older))
  return session
}

export async function withSession<T>(side: Side, work: (session: Session) => Promise<T>): Promise<T> {
  const session = await openSession(side)
  try {
    return await work(session)
  } finally {
    await session.end().catch(() => undefined)
  }
}

/** As an operator knows it. Without user and password. */
export const nameOf = ({ endpoint: { host, port, database } }: Side): string => `${host}:${port}/${database}`

/** Values as the server writes them, without making anything of them. */
export const asText = { getTypeParser: () => (value: string) => value }
