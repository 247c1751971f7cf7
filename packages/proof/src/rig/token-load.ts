import { setTimeout as pause } from 'node:timers/promises'
import { present } from '@seaworthy/core'
import { askPinUntilServed } from './asked-again.ts'
import { hey } from './hey.ts'
import type { Person } from './person.ts'
import { type Pinned, pinEach } from './pinned.ts'
import type { Rig } from './rig.ts'
import { type KeptSignIn, keepSignIn } from './sign-ins.ts'
import { keyIdOf } from './signing-keys.ts'
import type { Stack } from './stack.ts'
import { until } from './wait.ts'

/** What goes on beside an experiment about tokens. */
export interface TokenLoad {
  /** Waits until this many more requests were served. */
  more(requests: number): Promise<unknown>
  /** Waits until strangers have asked every process once more. */
  strangersAgain(): Promise<unknown>
  stop(): Promise<Tally>
}

interface Tally {
  served: number
  /** Told to come again, as the service was full, or not answered in time. */
  unanswered: number
  readonly refused: string[]
  /** What strangers were answered who name a key that there is not. */
  readonly strangers: number[]
}

const AT_ONCE = 150
const CONNECTIONS = 2
/** `hey`, two people, strangers. */
const LOOPS = 4
const PATIENCE_MS = 45_000
/** A process that is asked for a key that it does not know reads the keys again, once a second. They are asked in turn. */
const BETWEEN_MS = 550
const me = '/api/identity/me'

/** `hey`, two people who use each new token at once in every process, and strangers, until it is stopped. */
export async function startTokenLoad(rig: Rig, stack: Stack, person: Person): Promise<TokenLoad> {
  const tally: Tally = { served: 0, unanswered: 0, refused: [], strangers: [] }
  let [goesOn, broke, rounds] = [true, false, 0]
  // One after the other: many at once at one account are taken for somebody who guesses.
  const signIns: KeptSignIn[] = []
  for (let i = 0; i < LOOPS; i++) signIns.push(await keepSignIn(stack, person))
  type Work = (signIn: KeptSignIn, pins: readonly Pinned[]) => Promise<void>
  const during = async (work: Work): Promise<void> => {
    const signIn = present(signIns.pop(), 'a sign-in for each loop')
    const pins = await pinEach(stack.port, await stack.pids('web'))
    rig.defer(() => pins.forEach((pin) => void pin.close()))
    while (goesOn) await work(signIn, pins)
  }
  const few = () =>
    during(async (signIn, pins) => {
      const token = await signIn.renew()
      for (const pin of pins) count(tally, await askPinUntilServed(pin, me, { token }))
    })
  const many = () =>
    during(async (signIn) => {
      const url = `${stack.url}${me}`
      const run = await hey(rig, { url, requests: AT_ONCE, connections: CONNECTIONS, token: await signIn.renew() })
      for (const [status, times] of Object.entries(run.statuses)) count(tally, Number(status), times)
      tally.unanswered += run.errors
    })
  const strangers = () =>
    during(async ({ token }, pins) => {
      const [head = '', ...rest] = token.split('.')
      const named = Buffer.from(head, 'base64url').toString().replace(keyIdOf(token), 'AAAAAAAAAAAAAAAA')
      const forged = [Buffer.from(named).toString('base64url'), ...rest].join('.')
      for (const pin of pins) {
        const headers = { 'x-forwarded-for': '203.0.113.9' }
        tally.strangers.push(await askPinUntilServed(pin, me, { token: forged, headers }))
        await pause(BETWEEN_MS)
      }
      rounds++
    })
  const all = Promise.all([many(), few(), few(), strangers()])
  all.catch((error: unknown) => {
    broke = true
    tally.refused.push(String(error))
  })
  return {
    more: (requests) => {
      const wanted = tally.served + requests
      return until('more requests', () => broke || tally.served > wanted, PATIENCE_MS)
    },
    strangersAgain: () => {
      const wanted = rounds + 2
      return until('strangers have asked again', () => broke || rounds >= wanted, PATIENCE_MS)
    },
    stop: async () => {
      goesOn = false
      await all.catch(() => undefined)
      return tally
    },
  }
}

function count(tally: Tally, status: number, times = 1): void {
  if (status === 200) tally.served += times
  else if (status === 503) tally.unanswered += times
  else for (let i = 0; i < times; i++) tally.refused.push(`answered ${status}`)
}
