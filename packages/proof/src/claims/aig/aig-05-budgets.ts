import { atMost, defineClaim, exactly } from '../../claim.ts'
import { startEngine } from '../../rig/engine.ts'
import type { Person } from '../../rig/person.ts'
import { pinEach } from '../../rig/pinned.ts'
import type { Stack } from '../../rig/stack.ts'
import { askTitle, startTitling } from '../../rig/titling-app.ts'
import { until } from '../../rig/wait.ts'
import { patch, wrongFunction } from '../../sabotage.ts'

const PROCESSES = 4
const EACH = 2_500
/** A call costs 50 tokens of 20 millionths, at most and in the end. */
const PAID = 300
const HELD = 5
const reserve = 'seaworthy.ai_reserve(uuid, text[], bigint[], bigint[], bigint, bigint, integer)'

export const claim = defineClaim({
  id: 'AIG-05',
  says: 'Of 10,000 questions that four processes ask an engine at once, exactly as many reach it as the budget of the account pays for; and what calls of a killed process had set aside can be spent again when their lease is over',
  answers: ['G8', 'G10', 'ASVS 2.4.1'],
  witness: 'an engine that speaks the protocol of OpenAI and counts its calls; kill -9',
  tier: 'full',
  seconds: 60,
  alone: true,
  limits: {
    'calls beyond the budget': exactly(0, 'calls'),
    'calls that were paid for and not made': exactly(0, 'calls'),
    'spent otherwise than the engine counts': exactly(0, 'millionths'),
    'seconds until what a killed process held can be spent': atMost(20, 's'),
  },
  experiment: async (rig) => {
    const engine = await startEngine(rig)
    engine.mood({ say: '{"title":"A title"}', tokensOut: 50 })
    const stack = await startTitling(rig, [engine], {
      WEB_PROCESSES: String(PROCESSES),
      OPENAI_PRICE: '0/20',
      AI_BUDGET_ACCOUNT_DAY: '0.3005',
    })
    const person = await stack.newcomer()
    const pins = await pinEach(stack.port, await stack.pids('web'))
    const statuses = await Promise.all(
      pins.map((pin) => pin.ask(`/api/notes/many?count=${EACH}&same=&task=once`, { token: person.token })),
    )
    for (const pin of pins) pin.close()
    const made = engine.calls.length
    const spent = await spentBy(stack, person)
    engine.mood('hang')
    const victim = await stack.newcomer()
    const held = await holdAndKill(stack, victim)
    engine.mood({ say: '{"title":"A title"}', tokensOut: 50 })
    const killed = performance.now()
    await until('it can be spent again', () => allSpendable(stack, victim), 45_000).catch(() => undefined)
    return {
      measured: {
        'calls beyond the budget': Math.max(0, made - PAID),
        'calls that were paid for and not made': Math.max(0, PAID - made),
        'spent otherwise than the engine counts': Math.abs(spent.spent - made * 1_000) + spent.held,
        'seconds until what a killed process held can be spent': (performance.now() - killed) / 1_000,
      },
      met: {
        'every process answered': pins.length === PROCESSES && statuses.every((status) => status === 200),
        'calls were under way when their processes were killed': held === HELD * 1_000,
      },
      evidence: [`${made} calls reached the engine`, JSON.stringify(spent)],
    }
  },
  sabotages: [
    wrongFunction(
      'who waited for the same budget does not look again',
      reserve,
      'if b.short then return seaworthy.ai_short(b.scope); end if;',
      '',
    ),
    patch(
      'what a call costs is counted after it only',
      'packages/platform/src/ai/ask-engine.ts',
      'await reserve(parts.database, accountId, scopes, most)',
      'await reserve(parts.database, accountId, scopes, { money: 0, tokens: 0 })',
    ),
    wrongFunction(
      'what a killed process held stays held',
      'seaworthy.ai_short(text)',
      'r.expires_at < clock_timestamp()',
      'false',
    ),
  ],
})

async function spentBy(stack: Stack, person: Person): Promise<{ spent: number; held: number }> {
  const admin = await stack.database('admin')
  const { rows } = await admin.query<{ spent: number; held: number }>(
    'select money_spent::int as spent, money_held::int as held from seaworthy.ai_budgets where scope = $1',
    [`account:${person.accountId}`],
  )
  return rows[0] ?? { spent: 0, held: 0 }
}

/** What was held when they died. */
async function holdAndKill(stack: Stack, victim: Person): Promise<number> {
  const asked = Array.from({ length: HELD }, (_, i) => askTitle(victim, String(i), 'once').catch(() => undefined))
  const held = async (): Promise<number> => (await spentBy(stack, victim)).held
  await until('the calls are under way', async () => (await held()) === HELD * 1_000)
  const before = await held()
  await stack.signal('web', 'SIGKILL')
  await Promise.all(asked)
  await stack.ready()
  return before
}

/** Another call makes the service look, as somebody who misses it would; whoever needs all of it gets all of it. */
async function allSpendable(stack: Stack, victim: Person): Promise<boolean> {
  const admin = await stack.database('admin')
  const client = admin as { query<T extends object>(text: string, values?: unknown[]): Promise<{ rows: T[] }> }
  await client.query('begin')
  await client.query("select set_config('app.account_id', $1, true)", [victim.accountId])
  const scope = `account:${victim.accountId}`
  const { rows } = await client.query<{ short: string | null }>(
    'select seaworthy.ai_reserve(gen_random_uuid(), array[$1], array[300500]::bigint[], array[1000000000]::bigint[], 300000, 1, 1000) as short',
    [scope],
  )
  const short = rows[0]?.short ?? null
  if (short?.startsWith('stale ')) await client.query('select seaworthy.ai_return_expired($1)', [scope])
  await client.query(short === null ? 'rollback' : 'commit')
  return short === null
}
