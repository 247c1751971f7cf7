import { sql, type Transaction } from '../data/index.ts'
import { type EngineConfig, openEngines, settingOf } from './engines.ts'

/** What a task was asked in the last days. */
export interface TaskStatus {
  readonly task: string
  readonly engine: string
  readonly model: string
  readonly calls: number
  readonly failures: number
  readonly hits: number
  readonly tokens: number
  /** Millionths of a dollar, like all money here. */
  readonly money: number
  readonly moneySaved: number
  readonly msEach: number
}

export interface AiStatus {
  readonly engines: readonly {
    readonly name: string
    readonly setting: string
    readonly isSetUp: boolean
    readonly model: string | undefined
    readonly regions: readonly string[]
  }[]
  /** Of the last so many days, today included. */
  readonly days: number
  readonly tasks: readonly TaskStatus[]
  readonly kept: { readonly answers: number; readonly hits: number; readonly oldest: Date | null }
  /** Of today in UTC: what apps have spent, and what calls under way may still spend. */
  readonly apps: readonly { readonly app: string; readonly spent: number; readonly held: number }[]
}

/** For operators, on duty: how AI is used here. Says nothing about anybody's questions. */
export async function readAiStatus(tx: Transaction, config: EngineConfig, days: number): Promise<AiStatus> {
  const engines = openEngines(config)
  return {
    engines: Object.entries(settingOf).map(([name, setting]) => {
      const engine = engines.get(name)
      const regions = engine?.regions.map(({ url }) => new URL(url).host) ?? []
      return { name, setting, isSetUp: engine !== undefined, model: engine?.model, regions }
    }),
    days,
    tasks: await tx.many<TaskStatus>(sql`
      select task, engine, model, sum(calls)::float8 as calls, sum(failures)::float8 as failures, sum(hits)::float8 as hits,
        sum(tokens_in + tokens_out)::float8 as tokens, sum(money)::float8 as money, sum(money_saved)::float8 as "moneySaved",
        round(sum(ms) / greatest(1, sum(calls)))::float8 as "msEach"
      from seaworthy.ai_usage where day > seaworthy.ai_today() - ${days}::int group by 1, 2, 3 order by 1, 2, 3`),
    kept: await tx.one(sql`
      select count(*)::float8 as answers, coalesce(sum(hits), 0)::float8 as hits, min(created_at) as oldest from seaworthy.ai_answers`),
    apps: await tx.many(sql`
      select substr(scope, 5) as app, money_spent::float8 as spent, money_held::float8 as held from seaworthy.ai_budgets
      where day = seaworthy.ai_today() and scope like 'app:%' order by 1`),
  }
}
