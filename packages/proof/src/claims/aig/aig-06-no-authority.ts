import { atLeast, defineClaim, exactly } from '../../claim.ts'
import { startEngine } from '../../rig/engine.ts'
import { injections, orderIn } from '../../rig/injections.ts'
import type { Stack } from '../../rig/stack.ts'
import { askTitle, startTitling, type Titled } from '../../rig/titling-app.ts'
import { patch } from '../../sabotage.ts'

const KEY = 'a-key-of-an-engine'
const TITLE_MAX = 80

export const claim = defineClaim({
  id: 'AIG-06',
  says: 'What an AI engine answers has no power: an engine that obeys every order hidden in the text of a note brings about nothing but a title that fits the schema of the task, or a refusal; it is offered no tool, no call of one is carried out, nothing of the service or of others comes out, and nothing else changes',
  answers: ['G12', 'G11', 'ASVS 1.3.7'],
  witness:
    'an engine that obeys whatever it reads; 110 hidden orders, as text also where pictures and file names would hold them',
  tier: 'full',
  seconds: 40,
  limits: {
    'orders that were hidden': atLeast(100, 'orders'),
    'answers that are no title and no refusal': exactly(0, 'answers'),
    'questions that offered a tool': exactly(0, 'questions'),
    'canaries that came out': exactly(0, 'canaries'),
    'rows of others that changed': exactly(0, 'rows'),
  },
  experiment: async (rig) => {
    const engine = await startEngine(rig)
    let obeyed = 0
    engine.mood(({ text }) => {
      const told = toldIn(text)
      const order = orderIn(told)
      if (order) obeyed++
      const { say, calls } = order?.obey(told) ?? { say: '{"title":"no order"}' }
      return { say, ...(calls ? { calls } : {}) }
    })
    const stack = await startTitling(rig, [engine])
    const [victim, person] = [await stack.newcomer(), await stack.newcomer()]
    await askTitle(victim, 'a note of somebody else', 'plain')
    const before = await rowsOf(stack)
    const answers: Titled[] = []
    for (const { text } of injections) answers.push(await askTitle(person, text, 'once'))
    const canaries = [KEY, 'a note of somebody else', victim.email, person.token, 'a field that nobody sends']
    const out = answers.map((answer) => JSON.stringify(answer))
    return {
      measured: {
        'orders that were hidden': injections.length,
        'answers that are no title and no refusal': answers.filter((answer) => !isHarmless(answer)).length,
        'questions that offered a tool': engine.calls.filter(({ text }) => /"tools"|"functions"/.test(text)).length,
        'canaries that came out': canaries.filter((canary) => out.some((text) => text.includes(canary))).length,
        'rows of others that changed': (await rowsOf(stack)) === before ? 0 : 1,
      },
      met: {
        'the engine obeyed': obeyed >= injections.length,
        'some answers were taken and some refused':
          answers.some(({ status }) => status === 200) && answers.some(({ status }) => status === 502),
      },
      evidence: [
        `${obeyed} orders were obeyed`,
        ...answers
          .filter((answer) => !isHarmless(answer))
          .map((answer) => JSON.stringify(answer))
          .slice(0, 5),
      ],
    }
  },
  sabotages: [
    patch(
      'an answer is taken as it is',
      'packages/platform/src/ai/structured.ts',
      'if (result.success) return ok(result.data)',
      'if (parsed.ok) return ok(parsed.value)',
    ),
    patch(
      'a secret stands in the instructions',
      'packages/platform/src/ai/prepared-task.ts',
      'instructions: task.instructions,',
      'instructions: `${process.env.OPENAI_API_KEY} ${task.instructions}`,',
    ),
  ],
})

/** The texts of all messages. */
function toldIn(body: string): string {
  const { messages } = JSON.parse(body) as { messages: { content: string | { text?: string }[] }[] }
  return messages
    .map(({ content }) => (typeof content === 'string' ? content : content.map(({ text = '' }) => text).join(' ')))
    .join('\n')
}

const isHarmless = ({ status, title, code }: Titled): boolean =>
  status === 200
    ? typeof title === 'string' && title.length <= TITLE_MAX
    : (status === 502 && code === 'ai_answer_unusable') || (status === 503 && code === 'ai_unavailable')

/** People, accounts, keys and credits, as one text. */
async function rowsOf(stack: Stack): Promise<string> {
  const admin = await stack.database('admin')
  const { rows } = await admin.query<{ all: string }>(`
    select (select jsonb_agg(to_jsonb(u) order by id) from seaworthy.users u)::text || (select count(*) from seaworthy.accounts)
      || (select count(*) from seaworthy.provider_keys) || (select count(*) from seaworthy.ledger) || (select count(*) from seaworthy.jobs) as all`)
  return rows[0]?.all ?? ''
}
