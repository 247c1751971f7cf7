import { atMost, defineClaim, exactly } from '../../claim.ts'
import { applyLoad } from '../../rig/load.ts'
import type { Person } from '../../rig/person.ts'
import { mainThreadMs } from '../../rig/thread-time.ts'
import { quantile } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const SECONDS = 6
const PER_SECOND = 50
/** When an input takes this long, a longer one need not be tried. */
const SLOW_MS = 1_000

export const claim = defineClaim({
  id: 'INP-05',
  says: 'Deep, wide, polluted, broken and slow bodies are refused as what they are, and nobody else waits for it',
  answers: ['H2', 'H11', 'ASVS 1.3.12', 'ASVS 1.5.2', 'ASVS 2.2.1', 'ASVS 15.3.6'],
  witness: 'open-loop load beside the attack',
  tier: 'full',
  seconds: 12,
  alone: true,
  limits: {
    'hostile bodies not answered with 4xx': exactly(0, 'bodies'),
    'longest that one body occupies the event loop': atMost(100, 'ms'),
    'answers to others meanwhile, median': atMost(250, 'ms'),
  },
  experiment: async (rig) => {
    const stack = await rig.start()
    const person = await stack.newcomer()
    const bodies = hostileBodies(person)
    const [web = 0] = await stack.pids('web')
    const send = senderOf(stack.url, person, web)
    let loading = true
    const load = applyLoad({
      request: () => ({ url: `${stack.url}/api/cosnap/effects` }),
      perSecond: PER_SECOND,
      seconds: SECONDS,
    })
    const others = load.finally(() => {
      loading = false
    })
    const seen: Seen = { bad: new Set(), sent: 0, longestMs: 0, longest: '' }
    do await attack(send, bodies, seen)
    while (loading)
    const { samples } = await others
    return {
      measured: {
        'hostile bodies not answered with 4xx': seen.bad.size,
        'longest that one body occupies the event loop': seen.longestMs,
        'answers to others meanwhile, median': quantile(
          samples.map(({ ms }) => ms),
          0.5,
        ),
      },
      met: {
        'every body was sent to three routes': seen.sent >= 3 * bodies.length,
        'others were answered': samples.length === SECONDS * PER_SECOND && samples.every(({ ok }) => ok),
      },
      run: { samples, marks: [] },
      evidence: [`${seen.sent} bodies`, `longest: ${seen.longest}`, ...seen.bad],
    }
  },
  sabotages: [
    patch(
      'an expression takes exponential time',
      'packages/platform/src/http/routes/identity/answers.ts',
      'new RegExp(`^$',
      'new RegExp(`^(?:[^ @]+)+$',
    ),
    patch(
      'bytes that are no text are read as text',
      'packages/platform/src/http/stages/receive-body.ts',
      'if (!isUtf8(bytes))',
      'if (bytes.length < 0)',
    ),
    patch(
      'a NUL character is let through',
      'packages/platform/src/http/stages/receive-body.ts',
      "if (text.includes('\\\\u0000') || text.includes('\\0'))",
      'if (text.length < 0)',
    ),
  ],
})

interface Seen {
  readonly bad: Set<string>
  sent: number
  longestMs: number
  longest: string
}

async function attack(send: Send, bodies: readonly [name: string, body: Buffer][], seen: Seen): Promise<void> {
  const note = (what: string, ms: number): void => {
    if (ms <= seen.longestMs) return
    seen.longestMs = ms
    seen.longest = what
  }
  for (const [name, body] of bodies)
    for (const path of ['/api/identity/sign-up', '/api/identity/sign-in', '/api/cosnap/runs']) {
      const { status, ms } = await send(path, body)
      note(`${name} to ${path}`, ms)
      if (status < 400 || status >= 500) seen.bad.add(`${name} to ${path}: ${status}`)
      seen.sent++
    }
  note('a slow input', await sendSlow(send))
}

/** What is asked for, with something hostile in it: right but for that. */
function hostileBodies({ email }: Person): [name: string, body: Buffer][] {
  const person = (password: string, more = ''): string => `{"email":"hostile-${email}","password":"${password}"${more}}`
  const good = person('a good password')
  const around = (bytes: number[]): Buffer =>
    Buffer.concat([Buffer.from(good.slice(0, -2)), Buffer.from(bytes), Buffer.from(good.slice(-2))])
  const texts: Record<string, string> = {
    'arrays, 200,000 deep': person('a good password', `,"x":${'['.repeat(200_000)}${']'.repeat(200_000)}`),
    'objects, 100,000 deep': person('a good password', `,"x":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`),
    'deep and never closed': '['.repeat(900_000),
    '65,000 names': person('a good password', `,${Array.from({ length: 65_000 }, (_, i) => `"k${i}":${i}`).join()}`),
    '400,000 elements': `[${'0,'.repeat(400_000)}0]`,
    'a very long text': person('x'.repeat(900_000)),
    'a very long number': person('a good password', `,"x":${'9'.repeat(900_000)}`),
    'a polluted prototype': person('a good password', ',"__proto__":{"operator":true}'),
    'a polluted prototype, escaped': person(
      'a good password',
      ',"\\u005f\\u005fproto\\u005f\\u005f":{"operator":true}',
    ),
    'a polluted constructor': person('a good password', ',"constructor":{"prototype":{"operator":true}}'),
    'a NUL': person('a good\0password'),
    'a NUL, escaped': person('a good\\u0000password'),
    'two documents': `${good}${good}`,
    'a comment': `/**/${good}`,
    'a mark before the text': `\uFEFF${good}`,
    nothing: '',
    null: 'null',
    'a list': '[]',
    'no number': 'NaN',
  }
  const bytes: Record<string, Buffer> = {
    'a stray byte': around([0xff]),
    'an overlong zero': around([0xc0, 0x80]),
    'half a surrogate': around([0xed, 0xa0, 0x80]),
    'half a character': around([0xe2, 0x82]),
    'UTF-16': Buffer.from(good, 'utf16le'),
  }
  const encoded = Object.entries(texts).map(([name, text]): [string, Buffer] => [name, Buffer.from(text)])
  return [...encoded, ...Object.entries(bytes)]
}

type Send = (path: string, body: Uint8Array) => Promise<{ readonly status: number; readonly ms: number }>

/** Sends a body, and tells how long the event loop worked meanwhile: on this body, and on a few small requests of others. */
const senderOf =
  (url: string, { token }: Person, pid: number): Send =>
  async (path, body) => {
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'idempotency-key': 'hostile-key',
    }
    const before = mainThreadMs(pid)
    const response = await fetch(`${url}${path}`, { method: 'POST', headers, body: new Uint8Array(body) })
    await response.arrayBuffer()
    return { status: response.status, ms: mainThreadMs(pid) - before }
  }

/** Texts on which careless expressions take long, longer and longer: how long the worst of them took. */
async function sendSlow(send: Send): Promise<number> {
  let longest = 0
  for (const length of [16, 20, 22, 24, 26, 28, 64, 128, 250]) {
    const run = 'a'.repeat(length)
    for (const email of [
      `a@${run}@`,
      `${run}@`,
      `a@${'a.'.repeat(length / 2)}@`,
      `${' '.repeat(length)}x`,
      `a@${run} a`,
    ]) {
      const { ms } = await send(
        '/api/identity/sign-up',
        Buffer.from(JSON.stringify({ email, password: 'a good password' })),
      )
      longest = Math.max(longest, ms)
      if (longest > SLOW_MS) return longest
    }
  }
  return longest
}
