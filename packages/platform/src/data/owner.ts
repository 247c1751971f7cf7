import { type Endpoint, type Login, openPipelinedClient } from './drivers/pg.ts'
import { OWNER } from './roles.ts'
import type { Query } from './sql.ts'

/** What the owner of the tables runs, statement by statement, outside any request: preparations and an operator's tools. */
export interface OwnerSession {
  many<Row>(query: Query<Row>): Promise<Row[]>
  /** How many rows were changed. */
  run(query: Query<unknown>): Promise<number>
  /** What fails inside is undone. */
  transaction<T>(work: () => Promise<T>): Promise<T>
}

/** Sees and changes the rows of every account: not for anything that serves. */
export const asOwner = <T>(
  endpoint: Endpoint,
  admin: Login,
  name: string,
  work: (session: OwnerSession) => Promise<T>,
): Promise<T> => inSession(endpoint, admin, { name, role: OWNER }, work)

/** What a role sees by itself, without any caller: for looks at the database before there is a service. */
export const asRole = <T>(
  endpoint: Endpoint,
  login: Login,
  name: string,
  work: (session: Pick<OwnerSession, 'many'>) => Promise<T>,
): Promise<T> => inSession(endpoint, login, { name }, work)

async function inSession<T>(
  endpoint: Endpoint,
  login: Login,
  { name, role }: { readonly name: string; readonly role?: string },
  work: (session: OwnerSession) => Promise<T>,
): Promise<T> {
  const client = await openPipelinedClient(endpoint, login, name)
  const execute = (query: Query<unknown>) => {
    const { sql, parameters } = query.compile()
    return client.query(sql, parameters as unknown[])
  }
  try {
    if (role) await client.query(`set role ${role}`)
    return await work({
      many: async <Row>(query: Query<Row>) => (await execute(query)).rows as Row[],
      run: async (query) => (await execute(query)).rowCount ?? 0,
      transaction: async (inner) => {
        await client.query('begin')
        try {
          const value = await inner()
          await client.query('commit')
          return value
        } catch (error) {
          await client.query('rollback').catch(() => undefined)
          throw error
        }
      },
    })
  } finally {
    await client.end()
  }
}
