import { atMost, defineClaim, exactly } from '../../claim.ts'
import { startEngine } from '../../rig/engine.ts'
import type { Person } from '../../rig/person.ts'
import type { Stack } from '../../rig/stack.ts'
import { askTitle, startTitling } from '../../rig/titling-app.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const AT_ONCE = 40
const DAY_MS = 86_400_000

export const claim = defineClaim({
  id: 'AIG-02',
  says: 'A kept answer is never given after thirty days; while the engine is away an older one is given up to then, marked with its age; every time that one is given is counted, also when many ask at once; and neither question nor answer stands in the database in clear',
  answers: ['G2', 'G5', 'ASVS 14.2.7'],
  witness: 'an engine that speaks the protocol of OpenAI and goes away; rows of PostgreSQL that are made older',
  tier: 'full',
  seconds: 40,
  limits: {
    'answers given after thirty days': exactly(0, 'answers'),
    'answers missing while the engine is away': exactly(0, 'answers'),
    'old answers without their mark': exactly(0, 'answers'),
    'error of their age': atMost(2, 'minutes'),
    'answers given and not counted': exactly(0, 'answers'),
    'rows that show question or answer': exactly(0, 'rows'),
  },
  experiment: async (rig) => {
    const engine = await startEngine(rig)
    engine.mood({ say: '{"title":"a title in clear"}' })
    const stack = await startTitling(rig, [engine])
    const person = await stack.newcomer()
    await askTitle(person, 'a note in clear', 'daily')
    const given = await Promise.all(Array.from({ length: AT_ONCE }, () => askTitle(person, 'a note in clear', 'daily')))
    // Hits are counted in memory, and written every second.
    await until('hits are counted', async () => (await rowsOf(stack, person)).hits >= AT_ONCE).catch(() => undefined)
    const counts = await rowsOf(stack, person)
    engine.mood('reset')
    await makeOlder(stack, person, 2)
    // A process that starts again remembers nothing of its own.
    await again(stack)
    const away = await askTitle(person, 'a note in clear', 'daily')
    await makeOlder(stack, person, 29)
    const late = await askTitle(person, 'a note in clear', 'daily')
    return {
      measured: {
        'answers given after thirty days': late.status === 200 ? 1 : 0,
        'answers missing while the engine is away': away.status === 200 ? 0 : 1,
        'old answers without their mark': away.stale && away.servedFrom === 'cache' ? 0 : 1,
        'error of their age': Math.abs(away.ageMs - 2 * DAY_MS) / 60_000,
        'answers given and not counted': Math.abs(counts.hits - AT_ONCE),
        'rows that show question or answer': counts.clear,
      },
      met: {
        'an answer was kept': counts.rows === 1,
        'all were given the kept one': given.every(({ servedFrom }) => servedFrom === 'cache'),
        'the engine was asked while it was away': engine.calls.length > 3,
        'without an answer the service says so': late.status === 200 || late.code === 'ai_unavailable',
      },
      evidence: [JSON.stringify(away), JSON.stringify(late), JSON.stringify(counts)],
    }
  },
  sabotages: [
    patch(
      'answers never expire',
      'packages/platform/src/ai/kept-answers.ts',
      'and question = ${question} and expires_at > now()`',
      'and question = ${question}`',
    ),
    patch(
      'an old answer looks like a new one',
      'packages/platform/src/ai/gateway.ts',
      'ageMs: Math.max(0, Date.now() - kept.createdMs),',
      'ageMs: 0,',
    ),
    patch(
      'a hit is counted once a second only',
      'packages/platform/src/ai/usage.ts',
      'hits.set(answerId, (hits.get(answerId) ?? 0) + 1)',
      'hits.set(answerId, 1)',
    ),
    patch(
      'only an engine that answers gives answers',
      'packages/platform/src/ai/keep.ts',
      'if (kept && mayBeStale(error)',
      'if (kept && !mayBeStale(error)',
    ),
  ],
})

async function again(stack: Stack): Promise<void> {
  await stack.signal('supervisor', 'SIGTERM')
  await stack.exited
  await stack.restart()
}

/** As if so many days had gone by. */
async function makeOlder(stack: Stack, person: Person, days: number): Promise<void> {
  const admin = await stack.database('admin')
  await admin.query(
    `update seaworthy.ai_answers set created_at = created_at - $2 * interval '1 day', fresh_until = fresh_until - $2 * interval '1 day',
       expires_at = expires_at - $2 * interval '1 day' where account_id = $1`,
    [person.accountId, days],
  )
}

async function rowsOf(stack: Stack, person: Person): Promise<{ rows: number; hits: number; clear: number }> {
  const admin = await stack.database('admin')
  const { rows } = await admin.query<{ hits: number; text: string }>(
    'select hits::int as hits, to_jsonb(a)::text as text from seaworthy.ai_answers a where account_id = $1',
    [person.accountId],
  )
  return {
    rows: rows.length,
    hits: rows[0]?.hits ?? 0,
    clear: rows.filter(({ text }) => text.includes('in clear')).length,
  }
}
