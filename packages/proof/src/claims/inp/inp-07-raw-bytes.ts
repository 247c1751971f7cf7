import { atLeast, defineClaim, exactly } from '../../claim.ts'
import { openSockets } from '../../rig/kernel-sockets.ts'
import { type BareAnswer, mutationsOf, sendAndClose } from '../../rig/mutations.ts'
import type { Person } from '../../rig/person.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const EACH = 750
const PARALLEL = 16
/** So many are enough to know. */
const HELD_MAX = 16

export const claim = defineClaim({
  id: 'INP-07',
  says: 'Requests with flipped bits end no process, fail no route and leave no connection behind',
  answers: ['H2', 'H19', 'R7', 'ASVS 4.2.1', 'ASVS 15.2.2', 'ASVS 16.5.2'],
  witness: 'zzuf',
  needs: ['zzuf'],
  tier: 'full',
  seconds: 20,
  limits: {
    'answers with 5xx': exactly(0, 'answers'),
    'requests neither answered nor closed within fifteen seconds': exactly(0, 'requests'),
    'processes that ended': exactly(0, 'processes'),
    'connections left behind': exactly(0, 'connections'),
    'mutations sent': atLeast(4 * EACH, 'requests'),
  },
  experiment: async (rig) => {
    const stack = await rig.start()
    const before = await stack.pids('web')
    const mutations: Buffer[] = []
    for (const request of requests(await stack.newcomer())) mutations.push(...(await mutationsOf(rig, request, EACH)))
    // Our own, which are kept for further requests.
    const own = openSockets(stack.port)
    const { statuses, failed, held } = await sendAll(stack.port, mutations)
    const gone = until('every connection is closed', () => openSockets(stack.port) <= own, 8_000)
    const left = await gone.then(() => 0).catch(() => openSockets(stack.port) - own)
    const after = await stack.pids('web')
    return {
      measured: {
        'answers with 5xx': failed.length,
        'requests neither answered nor closed within fifteen seconds': held,
        'processes that ended': before.filter((pid) => !after.includes(pid)).length,
        'connections left behind': left,
        'mutations sent': mutations.length,
      },
      met: {
        'some were refused as unreadable': (statuses['400'] ?? 0) > 0,
        'some were read and answered': Object.keys(statuses).some((status) => /^(2|401|404|422)/.test(status)),
      },
      evidence: [JSON.stringify(statuses), ...failed.slice(0, 3)],
    }
  },
  sabotages: [
    patch(
      'what cannot be read counts as a failure of ours',
      'packages/platform/src/http/problem-answers.ts',
      ": fault('malformed_request')",
      ": fault('internal')",
    ),
  ],
})

interface Seen {
  readonly statuses: Record<string, number>
  readonly failed: string[]
  held: number
}

async function sendAll(port: number, mutations: readonly Buffer[]): Promise<Seen> {
  const seen: Seen = { statuses: {}, failed: [], held: 0 }
  const queue = mutations.values()
  const work = async (): Promise<void> => {
    for (const bytes of queue) if (seen.held < HELD_MAX) note(seen, await sendAndClose(port, bytes))
  }
  await Promise.all(Array.from({ length: PARALLEL }, work))
  return seen
}

function note(seen: Seen, { statuses, held, text }: BareAnswer): void {
  const key = statuses.join('+') || 'no answer'
  seen.statuses[key] = (seen.statuses[key] ?? 0) + 1
  if (held) seen.held++
  if (statuses.some((status) => status >= 500)) seen.failed.push(text)
}

/** A body, an address, a form in chunks, and an upgrade. */
function requests({ token, cookie }: Person): Buffer[] {
  const head = (line: string, ...more: string[]): string =>
    [
      `${line} HTTP/1.1`,
      'Host: 127.0.0.1',
      `Authorization: Bearer ${token}`,
      'Connection: close',
      ...more,
      '',
      '',
    ].join('\r\n')
  const run = '{"photoId":"01890000-0000-7000-8000-000000000000","effect":"noir","strength":60}'
  const form = '--xx\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\nnot a photo\r\n--xx--\r\n'
  const json = ['Content-Type: application/json', 'Idempotency-Key: raw-bytes', `Content-Length: ${run.length}`]
  const chunked = ['Transfer-Encoding: chunked', 'Content-Type: multipart/form-data; boundary=xx']
  const upgrade = ['Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']
  const texts = [
    `${head('POST /api/cosnap/runs', ...json)}${run}`,
    head(
      'GET /api/cosnap/photos?limit=5&cursor=%41%42',
      `Cookie: ${cookie}`,
      'Range: bytes=0-10',
      'Accept-Encoding: br',
    ),
    `${head('POST /api/cosnap/photos?name=a.jpg', ...chunked)}${form.length.toString(16)}\r\n${form}\r\n0\r\n\r\n`,
    head('GET /socket/?EIO=4&transport=websocket', ...upgrade),
  ]
  return texts.map((text) => Buffer.from(text, 'latin1'))
}
