import { type Endpoint, type Login, openImpatientClient, type PgSingleClient } from './drivers/pg.ts'

/** One connection for one question, asked again and again; opened again where it broke. */
export interface Probe<Row> {
  /** Throws when there is no answer in time. */
  ask(): Promise<Row>
  close(): Promise<void>
}

const ANSWER_MS = 1_000

export function openProbe<Row extends object>(endpoint: Endpoint, login: Login, question: string): Probe<Row> {
  let client: PgSingleClient | undefined
  return {
    ask: async () => {
      const asked = client ?? (await openImpatientClient(endpoint, login, 'replica', ANSWER_MS))
      client = undefined
      try {
        const { rows } = await asked.query<Row>(question)
        client = asked
        return rows[0] as Row
      } catch (error) {
        void asked.end().catch(() => undefined)
        throw error
      }
    },
    close: async () => {
      await client?.end()
      client = undefined
    },
  }
}
