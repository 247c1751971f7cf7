import { createHmac } from 'node:crypto'
import { crop, isOk, jsonOf } from '../answer.ts'
import { defineGeneralClaim } from '../claim.ts'
import { type Finding, shown } from '../finding.ts'
import { fillRoute, newMark, parseRoute } from '../route.ts'
import type { Somebody } from '../somebody.ts'
import type { Target } from '../target.ts'

const mistakes = {
  'a payment event without a signature counts': [100],
  'a payment event counts twice': [15, 100],
  'an old payment event counts': [100],
} as const
type Mistake = keyof typeof mistakes

const DAY_SECONDS = 86_400

export const claim = defineGeneralClaim({
  id: 'GEN-22',
  says: 'A payment event counts once, and only with the signature of the provider and of these minutes',
  mistakes,
  answers: ['Z4', 'P3'],
  needs: ['people', 'webhook'],
  find: async (target) => {
    const person = await target.newcomer()
    const findings: Finding<Mistake>[] = []
    const good = await sendEvent(target, person, { signed: true })
    const again = await sendEvent(target, person, { signed: true, event: good.event })
    if (again.gained !== 0) findings.push(found('a payment event counts twice', again))
    const unsigned = await sendEvent(target, person, { signed: false })
    if (unsigned.gained !== 0) findings.push(found('a payment event without a signature counts', unsigned))
    const old = await sendEvent(target, person, { signed: true, ageSeconds: DAY_SECONDS })
    if (old.gained !== 0) findings.push(found('an old payment event counts', old))
    return { findings, met: { 'a true event counted': isOk(good.answer) && good.gained > 0 } }
  },
})

interface Event {
  readonly signed: boolean
  readonly event?: string
  readonly ageSeconds?: number
}

type Sent = Awaited<ReturnType<typeof sendEvent>>

const found = (mistake: Mistake, { answer, gained }: Sent): Finding<Mistake> =>
  shown(mistake, answer, { row: `the balance changed by ${gained}` })

/** Sends an event as payment providers do: `t=<seconds>,v1=<hex of HMAC-SHA256 over "t.body">`. */
async function sendEvent(
  { config, ask }: Target,
  person: Somebody,
  { signed, event = newMark(), ageSeconds = 0 }: Event,
) {
  const { webhook } = config
  if (!webhook) throw new Error('there is no webhook')
  const values = { text: event, userId: person.userId, email: person.email }
  const body = fillRoute(parseRoute(webhook.send), values).body ?? ''
  const time = Math.floor(Date.now() / 1_000) - ageSeconds
  const signature = createHmac('sha256', webhook.secret).update(`${time}.${body}`).digest('hex')
  const headers: Record<string, string> = signed ? { [webhook.header]: `t=${time},v1=${signature}` } : {}
  const before = await balanceOf(person, webhook.balance)
  const answer = await ask(webhook.send, { body, headers })
  return { event, answer, gained: (await balanceOf(person, webhook.balance)) - before }
}

/** The first number of the answer. */
async function balanceOf(person: Somebody, line: string): Promise<number> {
  const answer = await person.ask(line)
  const number = Object.values((jsonOf(answer) as Record<string, unknown>) ?? {}).find(
    (value) => typeof value === 'number',
  )
  if (number === undefined) throw new Error(`${line} has no number: ${crop(answer.text)}`)
  return number as number
}
