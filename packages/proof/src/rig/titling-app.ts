import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Engine } from './engine.ts'
import { makeOwnCopy, type OwnCopy } from './own-copy.ts'
import type { Person } from './person.ts'
import type { Rig } from './rig.ts'
import type { Stack } from './stack.ts'

/** What the app tells of an answer. */
export interface Titled {
  readonly status: number
  readonly title: string
  readonly engine: string
  readonly servedFrom: string
  readonly ageMs: number
  readonly stale: boolean
  readonly code: string
}

/** Other tasks of the app: `shorter` differs in the bound of its answer, `once` is never kept, `agreed` needs a consent. */
type TitleTask = 'plain' | 'shorter' | 'once' | 'agreed' | 'daily' | 'both'

/** Consent that the task `agreed` needs. */
export const TITLE_CONSENT = 'notes.outside-titles'

/** Of the engine: a title for a note. */
export async function askTitle(person: Person, text: string, task: TitleTask = 'plain'): Promise<Titled> {
  const answer = await person.fetch(`/api/notes/title?${new URLSearchParams({ text, task })}`)
  const nothing = { title: '', engine: '', servedFrom: '', ageMs: 0, stale: false, code: '' }
  return { ...nothing, ...((await answer.json()) as Partial<Titled>), status: answer.status }
}

/** Cosnap asks no engine, so another app is put beside it, as a stranger would write one, whose notes get titles by one. */
function putTitlingApp({ product }: OwnCopy): void {
  writeFileSync(
    join(product, 'dist', 'seaworthy.config.js'),
    `import { cosnap } from '@seaworthy/cosnap/app'
import { defineSystem } from '@seaworthy/platform/boot'
import { aiTask, consent, defineApp, local, outside, route, unlimited } from '@seaworthy/platform/definition'
import { z } from 'zod'

const reading = consent({ name: '${TITLE_CONSENT}', version: 1, title: 'Titles from elsewhere', text: 'Notes are sent to an engine.',
  data: ['notes'], recipient: 'An engine' })
const free = outside('openai', { consent: 'not-personal' })
const basic = {
  version: 1, input: z.strictObject({ text: z.string().max(20_000), secret: z.string() }), output: z.strictObject({ title: z.string().max(80) }),
  instructions: 'Give the note a title.', ask: ({ text }) => ({ text }), engines: [free], cache: { days: 30 }, data: 'notes',
  budget: { answerTokensMax: 50 }, timeoutMs: 8_000,
}
const first = local(({ text }) => ({ title: text.split(' ', 1)[0] }))
const tasks = {
  plain: aiTask({ ...basic, name: 'notes.plain' }),
  shorter: aiTask({ ...basic, name: 'notes.plain', budget: { answerTokensMax: 49 } }),
  once: aiTask({ ...basic, name: 'notes.once', cache: 'none' }),
  agreed: aiTask({ ...basic, name: 'notes.agreed', engines: [outside('openai', { consent: reading }), first] }),
  daily: aiTask({ ...basic, name: 'notes.daily', cache: { days: 30, freshDays: 1 } }),
  both: aiTask({ ...basic, name: 'notes.both', engines: [free, first] }),
}
const title = route({
  name: 'notes.title', method: 'GET', path: '/title', summary: 'A title', auth: 'viewer', limit: unlimited, transaction: 'none',
  query: z.strictObject({ text: z.string(), task: z.enum(['plain', 'shorter', 'once', 'agreed', 'daily', 'both']) }),
  reply: { 200: z.object({ title: z.string(), engine: z.string(), servedFrom: z.string(), ageMs: z.number(), stale: z.boolean() }) },
  handle: async ({ query, caller, ai, signal }) => {
    const answer = await ai.run(tasks[query.task], { text: query.text, secret: 'a field that nobody sends' }, { caller, signal })
    return { status: 200, body: { ...answer, title: answer.value.title } }
  },
})
const many = route({
  name: 'notes.many', method: 'GET', path: '/many', summary: 'Many titles', auth: 'viewer', limit: unlimited, transaction: 'none',
  query: z.strictObject({ count: z.coerce.number(), same: z.string(), task: z.enum(['plain', 'once']) }), reply: { 200: z.record(z.string(), z.number()) },
  handle: async ({ query, caller, ai }) => {
    const codes = {}
    await Promise.all(Array.from({ length: query.count }, async (_, i) => {
      const text = query.same || String(i)
      const code = await ai.run(tasks[query.task], { text, secret: '' }, { caller }).then(() => 'done', (error) => error.code ?? 'internal')
      codes[code] = (codes[code] ?? 0) + 1
    }))
    return { status: 200, body: codes }
  },
})
const cost = route({
  name: 'notes.cost', method: 'GET', path: '/cost', summary: 'What a kept answer costs', auth: 'viewer', limit: unlimited, transaction: 'none',
  query: z.strictObject({ count: z.coerce.number() }), reply: { 200: z.object({ micros: z.number() }) },
  handle: async ({ query, caller, ai }) => {
    const ask = () => ai.run(tasks.plain, { text: 'what is kept', secret: '' }, { caller })
    for (let i = 0; i < query.count; i++) await ask()
    const before = process.cpuUsage()
    for (let i = 0; i < query.count; i++) await ask()
    const { user, system } = process.cpuUsage(before)
    return { status: 200, body: { micros: (user + system) / query.count } }
  },
})
const notes = defineApp({ name: 'notes', title: 'Notes', routes: [title, many, cost], consents: [reading],
  aiTasks: [tasks.plain, tasks.once, tasks.agreed, tasks.daily, tasks.both] })
export const system = defineSystem({ apps: [cosnap, notes] })
`,
  )
}

/** The product with that app, and with this engine as the one that it may ask. */
export async function startTitling(
  rig: Rig,
  engines: readonly Pick<Engine, 'url'>[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Stack> {
  const copy = makeOwnCopy(rig)
  putTitlingApp(copy)
  const stack = await copy.launch({
    WORKER_PROCESSES: '0',
    OPENAI_API_KEY: 'a-key-of-an-engine',
    OPENAI_API_URL: engines.map(({ url }) => url).join(),
    OPENAI_PRICE: '1/2',
    AI_TOKENS_ACCOUNT_DAY: '1000000000',
    ...environment,
  })
  await stack.ready(150_000)
  return stack
}
