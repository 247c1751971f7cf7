import { randomBytes } from 'node:crypto'
import { type AccountId, newId, type UserId } from '@seaworthy/core'
import { type Config, type Environment, readConfig } from '@seaworthy/platform/config'
import {
  type Database,
  type Endpoint,
  type Login,
  loginOf,
  openClient,
  openDatabase,
  type PgSingleClient,
  sql,
} from '@seaworthy/platform/data'
import { inject } from 'vitest'

export interface TestDatabase {
  readonly endpoint: Endpoint
  readonly config: Config
  readonly database: Database
  readonly appLogin: Login
  /** A connection that may do everything, for looking at what happened and for planting faults. */
  readonly admin: PgSingleClient
  makeAccount(): Promise<{ accountId: AccountId; userId: UserId }>
  close(): Promise<void>
}

/** A database of this file's own, cloned from the migrated one in a fraction of a second. */
export async function openTestDatabase(environment: Environment = {}): Promise<TestDatabase> {
  const { port, adminPassword, dataDirectory } = inject('seaworthy')
  const config = readConfig(dataDirectory, { DATA_DIR: dataDirectory, ...environment })
  const login = { user: 'seaworthy_admin', password: adminPassword }
  const server = { host: '127.0.0.1', port, tls: 'off' as const }
  const name = `test_${randomBytes(6).toString('hex')}`
  const maker = await openClient({ ...server, database: 'postgres' }, login, 'testkit')
  await maker.query('select pg_advisory_lock(1)')
  await maker.query(`create database ${name} template seaworthy strategy file_copy`)
  await maker.query(`grant create, connect on database ${name} to seaworthy_owner`)
  await maker.query('select pg_advisory_unlock(1)')
  const endpoint = { ...server, database: name, rolesOf: 'seaworthy' }
  const appLogin = loginOf('app', config.secrets.databaseRoleSecret, endpoint)
  const admin = await openClient(endpoint, login, 'testkit')
  const limits = {
    max: 8,
    waitMs: config.databaseWaitMs,
    statementMs: config.databaseQueryMs,
    transactionMs: config.databaseTransactionMs,
  }
  const database = openDatabase({ endpoint, login: appLogin, name: 'test', limits })
  return {
    endpoint,
    config,
    database,
    appLogin,
    admin,
    makeAccount: () => makeAccount(database),
    close: async () => {
      await database.close()
      await admin.end()
      await maker.query(`drop database ${name} with (force)`)
      await maker.end()
    },
  }
}

export async function makeAccount(database: Database): Promise<{ accountId: AccountId; userId: UserId }> {
  const [userId, accountId] = [newId() as UserId, newId() as AccountId]
  await database.withDuty('identity', async (tx) => {
    await tx.run(
      sql`insert into seaworthy.users (id, email, password_hash) values (${userId}, ${`${userId}@example.com`}, 'none')`,
    )
    await tx.run(
      sql`insert into seaworthy.accounts (id, name, personal_user_id) values (${accountId}, 'Personal', ${userId})`,
    )
    await tx.run(
      sql`insert into seaworthy.memberships (account_id, user_id, role) values (${accountId}, ${userId}, 'owner')`,
    )
  })
  return { accountId, userId }
}
