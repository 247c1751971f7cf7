import { randomUUID } from 'node:crypto'
import type { Journey } from './journey.ts'
import { makePicture } from './picture.ts'
import type { Visitor, VisitorAnswer } from './visitor.ts'

const EFFECT_MS = 60_000
const ASK_AGAIN_MS = 100

interface Run {
  readonly id: string
  readonly state: string
  readonly cost: number
  readonly result: { readonly full: string } | null
}

/** Sign in, upload a photo, have an effect made, look at the result, delete the photo, sign out. */
export const cosnap: Journey = async (visitor, { email, password }) => {
  const steps: { name: string; ms: number }[] = []
  const step = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const started = performance.now()
    const value = await work().catch((cause: unknown) => {
      throw new Error(`the step "${name}" failed: ${(cause as Error).message}`, { cause })
    })
    steps.push({ name, ms: Math.round(performance.now() - started) })
    return value
  }
  const me = await step('sign in', () => signIn(visitor, { email, password }))
  const photoId = await step('upload', async () => {
    const picture = makePicture(64, 48, Date.now())
    const answer = await me('POST', '/api/cosnap/photos?name=journey.png', picture)
    return expectStatus(answer, 201).json<{ id: string }>().id
  })
  const leave = async (): Promise<void> => {
    await step('delete', async () => expectStatus(await me('DELETE', `/api/cosnap/photos/${photoId}`), 204))
    await step('sign out', async () => expectStatus(await me('POST', '/api/identity/sign-out'), 204))
  }
  try {
    const run = await step('effect', () => makeEffect(me, photoId))
    await step('result', async () => {
      const { bytes } = expectStatus(await visitor.send('GET', run.result?.full ?? '/'), 200)
      if (bytes.length === 0) throw new Error('the picture is empty')
    })
    await leave()
    return { steps, spent: run.cost }
  } catch (error) {
    // What went wrong first is told, whether or not the rest can be taken away.
    await leave().catch(() => undefined)
    throw error
  }
}

async function signIn(visitor: Visitor, credentials: object): Promise<Visitor['send']> {
  const answer = expectStatus(await visitor.send('POST', '/api/identity/sign-in', credentials), 200)
  const { accessToken } = answer.json<{ accessToken?: string }>()
  if (!accessToken) throw new Error('a second factor is asked for, which a journey does not have')
  return (method, path, body, headers) =>
    visitor.send(method, path, body, { authorization: `Bearer ${accessToken}`, ...headers })
}

async function makeEffect(me: Visitor['send'], photoId: string): Promise<Run> {
  const begun = await me(
    'POST',
    '/api/cosnap/runs',
    { photoId, effect: 'noir', strength: 60 },
    { 'idempotency-key': randomUUID() },
  )
  const { id } = expectStatus(begun, 202).json<Run>()
  for (const end = performance.now() + EFFECT_MS; ; ) {
    const run = expectStatus(await me('GET', `/api/cosnap/runs/${id}`), 200).json<Run>()
    if (run.state === 'done') return run
    if (run.state === 'failed' || run.state === 'cancelled') throw new Error(`the effect ${run.state}`)
    if (performance.now() > end)
      throw new Error(`the effect is ${run.state} after ${EFFECT_MS / 1_000} s: does a worker run?`)
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS))
  }
}

function expectStatus(answer: VisitorAnswer, status: number): VisitorAnswer {
  if (answer.status !== status) throw new Error(`${answer.status} ${answer.bytes.toString().slice(0, 300)}`)
  return answer
}
