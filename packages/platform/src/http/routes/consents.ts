import { fault } from '@seaworthy/core'
import { z } from 'zod'
import {
  agrees,
  type Consent,
  type ConsentWay,
  type Decision,
  giveConsent,
  readDecisions,
  readNewest,
  withdrawConsent,
} from '../../consent/index.ts'
import { noBody, pageQuery, pageReply, rate, route, toPage } from '../../definition/index.ts'

const MINUTES_15 = 15 * 60_000
const reading = rate('privacy.consents', 100, MINUTES_15, { setting: 'rateMax' })
/** Each decision is kept as long as the account. */
const deciding = rate('privacy.decisions', 30, MINUTES_15)
const PURPOSE_MAX = 80

const decision = {
  given: z.boolean(),
  version: z.number().int(),
  at: z.string(),
  /** Or somebody else of the account. */
  byYou: z.boolean(),
}

const Asked = z.object({
  purpose: z.string(),
  title: z.string(),
  text: z.string(),
  /** The version of the text: send it back with the consent. */
  version: z.number().int(),
  /** Classes of data that it is about. */
  data: z.array(z.string()),
  /** Who else sees them; null: nobody outside this service. */
  recipient: z.string().nullable(),
  /** Whether the account agrees, now and to this text. */
  given: z.boolean(),
  /** The newest one, also when it was about an earlier text. */
  decision: z.object(decision).nullable(),
})

const Decided = z.object({
  id: z.string(),
  purpose: z.string(),
  ...decision,
  /** The words at that time. */
  text: z.string(),
  how: z.enum(['page', 'program']),
})

const params = z.strictObject({
  purpose: z
    .string()
    .max(PURPOSE_MAX)
    .regex(/^[a-z0-9][a-z0-9.-]*$/, 'must be a purpose such as notes.outside-reading'),
})

/** What the account is asked to agree to, and what it has answered. */
export const consentRoutes = (consents: readonly Consent[]) =>
  [list(consents), history, give(consents), withdraw] as const

const list = (consents: readonly Consent[]) =>
  route({
    name: 'privacy.consents.list',
    method: 'GET',
    path: '/consents',
    summary: 'What this account may agree to, and whether it does',
    auth: 'viewer',
    limit: reading,
    reply: { 200: z.object({ items: z.array(Asked) }) },
    handle: async ({ caller, tx }) => {
      const names = consents.map(({ name }) => name)
      const newest = names.length ? await readNewest(tx, caller, names) : new Map<string, Decision>()
      return { status: 200, body: { items: consents.map((asked) => toAsked(asked, newest.get(asked.name), caller)) } }
    },
  })

const history = route({
  name: 'privacy.consents.history',
  method: 'GET',
  path: '/consents/history',
  summary: 'Everything that this account agreed to and took back, newest first',
  auth: 'viewer',
  limit: reading,
  query: pageQuery,
  reply: { 200: pageReply(Decided) },
  handle: async ({ caller, tx, query, cursors }) => {
    const rows = await readDecisions(tx, caller, query.limit + 1, cursors.read(query.cursor))
    const show = (row: Decision) => ({ ...row, ...toDecision(row, caller) })
    return { status: 200, body: toPage(rows, query.limit, cursors, show) }
  },
})

const give = (consents: readonly Consent[]) =>
  route({
    name: 'privacy.consents.give',
    method: 'PUT',
    path: '/consents/{purpose}',
    summary: 'Agree, to the version of the text that was shown; it can be taken back at any time',
    auth: 'admin',
    limit: deciding,
    params,
    body: z.strictObject({ version: z.number().int().min(1) }),
    reply: { 204: z.undefined() },
    errors: ['not_found', 'conflict'],
    audit: 'consent_give',
    handle: async ({ caller, tx, params: { purpose }, body: { version }, header, requestId }) => {
      const asked = consents.find(({ name }) => name === purpose)
      if (!asked) throw fault('not_found', { detail: 'This release asks for no such consent.' })
      await giveConsent(tx, caller, asked, version, { how: wayOf(header), requestId })
      return { status: 204, body: undefined, resource: purpose, details: { version } }
    },
  })

const withdraw = route({
  name: 'privacy.consents.withdraw',
  method: 'DELETE',
  path: '/consents/{purpose}',
  summary: 'Take back what was agreed to, from now on',
  auth: 'admin',
  limit: deciding,
  params,
  body: noBody,
  reply: { 204: z.undefined() },
  errors: ['not_found'],
  audit: 'consent_withdraw',
  handle: async ({ caller, tx, params: { purpose }, header, requestId }) => {
    await withdrawConsent(tx, caller, purpose, { how: wayOf(header), requestId })
    return { status: 204, body: undefined, resource: purpose }
  },
})

/** Browsers say it themselves; scripts of a page cannot. */
const wayOf = (header: (name: string) => string | undefined): ConsentWay =>
  header('sec-fetch-site') === 'same-origin' ? 'page' : 'program'

interface Reader {
  readonly userId: string
}

function toAsked(asked: Consent, newest: Decision | undefined, reader: Reader): z.input<typeof Asked> {
  const { name, title, text, version, data, recipient } = asked
  return {
    purpose: name,
    title,
    text,
    version,
    data: [...data],
    recipient: recipient ?? null,
    given: agrees(asked, newest),
    decision: newest ? toDecision(newest, reader) : null,
  }
}

const toDecision = ({ given, version, createdAt, userId }: Decision, reader: Reader) => ({
  given,
  version,
  at: createdAt.toISOString(),
  byYou: userId === reader.userId,
})
