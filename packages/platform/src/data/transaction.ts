import { assert, fault } from '@seaworthy/core'
import type { PgClient } from './drivers/pg.ts'
import type { StatementWatch } from './slow-statements.ts'
import type { Query } from './sql.ts'

/** Something outside the database that follows from a commit. */
export type Effect = () => void | Promise<void>

/** The power to read and write. Exists only inside `withCaller` and its siblings. */
export interface Transaction {
  /** All rows. */
  many<Row>(query: Query<Row>): Promise<Row[]>
  /** The only row, or undefined. */
  maybe<Row>(query: Query<Row>): Promise<Row | undefined>
  /** The only row. Throws `not_found` when there is none, or it is somebody else's: the two look the same. */
  one<Row>(query: Query<Row>): Promise<Row>
  /** How many rows were changed. */
  run(query: Query<unknown>): Promise<number>
  /** What fails inside is undone; what came before stays. */
  savepoint<T>(work: () => Promise<T>): Promise<T>
  /** Runs once, after the commit is acknowledged; never when it is not. Failures are reported, not thrown. */
  afterCommit(effect: Effect): void
}

export class PgTransaction implements Transaction {
  readonly effects: Effect[] = []
  readonly #client: PgClient
  readonly #watch: StatementWatch | undefined
  readonly #trace: string | undefined
  #open = true
  #savepoints = 0

  constructor(client: PgClient, watch?: StatementWatch, trace?: string) {
    this.#client = client
    this.#watch = watch
    this.#trace = trace
  }

  async many<Row>(query: Query<Row>): Promise<Row[]> {
    return (await this.#execute(query)).rows as Row[]
  }

  async maybe<Row>(query: Query<Row>): Promise<Row | undefined> {
    const rows = await this.many(query)
    assert(rows.length <= 1, `expected at most one row, got ${rows.length}`)
    return rows[0]
  }

  async one<Row>(query: Query<Row>): Promise<Row> {
    const row = await this.maybe(query)
    if (row === undefined) throw fault('not_found')
    return row
  }

  async run(query: Query<unknown>): Promise<number> {
    return (await this.#execute(query)).rowCount ?? 0
  }

  async savepoint<T>(work: () => Promise<T>): Promise<T> {
    const name = `sp${++this.#savepoints}`
    const kept = this.effects.length
    await this.#client.query(`savepoint ${name}`)
    try {
      const value = await work()
      await this.#client.query(`release savepoint ${name}`)
      return value
    } catch (error) {
      this.effects.length = kept
      await this.#client.query(`rollback to savepoint ${name}`)
      throw error
    }
  }

  afterCommit(effect: Effect): void {
    this.effects.push(effect)
  }

  /** A transaction that has ended refuses, so that a forgotten `await` is a loud mistake. */
  end(): void {
    this.#open = false
  }

  async #execute(query: Query<unknown>) {
    assert(this.#open, 'the transaction has ended: is an await missing?')
    const { sql: text, parameters } = query.compile()
    const started = performance.now()
    try {
      return await this.#client.query(text, parameters as unknown[])
    } finally {
      const ms = performance.now() - started
      if (this.#watch && ms >= this.#watch.thresholdMs) this.#watch.slow(text, ms, this.#trace)
    }
  }
}
