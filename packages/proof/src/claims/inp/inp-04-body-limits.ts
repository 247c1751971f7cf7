import { atLeast, atMost, defineClaim, exactly } from '../../claim.ts'
import { type DocumentedRoute, documentedRoutes } from '../../rig/api-document.ts'
import { forgetPeak, peakBytes, residentBytes } from '../../rig/memory.ts'
import { jsonBody, type Person } from '../../rig/person.ts'
import { jpegPhoto, uploadPhoto } from '../../rig/photo.ts'
import { bytesReadBy, type Poured, pour } from '../../rig/pour.ts'
import { quantile, until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const KiB = 1_024
const MiB = 1_024 * KiB
/** `MAX_REQUEST_SIZE` is a megabyte where nobody says anything else. */
const JSON_MAX = MiB
/** What comes behind the limit, for whoever reads on. */
const BEYOND = 2 * MiB
/** What a form may have around its file. */
const FORM_MAX = 16 * KiB
const SIDE_BY_SIDE = 50
const WAVES = 3
const TRIES_MAX = 4
const READ_AHEAD = 64 * KiB
/** The head of the request, and what the database says to it. */
const BESIDE = 3 * KiB
/** Of an upload, which asks the database more: 5 to 9 KiB where nothing of the body is read. */
const BESIDE_UPLOAD = 12 * KiB
/** What is taken of a part is kept, so each attack has an upload of its own, and a person has five at most. */
const UPLOAD = '/api/uploads/{id}'
const PIECE = new Uint8Array(MiB).fill(0x78)
const TERABYTE = 2 ** 40

export const claim = defineClaim({
  id: 'INP-04',
  says: 'A body that is too large is answered with 413 on every route, whatever its length says, before more than 64 KiB beyond the limit were read; fifty such files at once cost the web process less than 32 MiB',
  answers: ['H2', 'M1', 'ASVS 4.3.2', 'ASVS 5.2.1'],
  witness: 'the kernel: bytes read and highest memory of the process',
  tier: 'soak',
  seconds: 75,
  alone: true,
  limits: {
    'bodies too large that were not answered with 413': exactly(0, 'bodies'),
    'most that was read beyond a limit': atMost(64, 'KiB'),
    'most that was read of a body whose length was told': atMost(128, 'KiB'),
    'rise of memory with fifty files, median of three': atMost(32, 'MiB'),
    'routes that take a body': atLeast(5, 'routes'),
  },
  experiment: async (rig) => {
    const stack = await rig.start()
    const person = await stack.newcomer()
    // The first picture of a process also loads the library.
    await uploadPhoto(person, await jpegPhoto())
    const [web = 0] = await stack.pids('web')
    const routes = (await documentedRoutes(stack.url)).filter(({ operation }) => operation.requestBody)
    const restPerMs = await readAtRest(web)
    const seen: Sent[] = []
    const operator = await stack.operator()
    for (const route of routes) {
      // Somebody new for each: people are limited by what they ask for.
      const sender = route.path.startsWith('/api/operations/') ? operator : await stack.newcomer()
      const senderNow = async (): Promise<Person> => (route.path === UPLOAD ? stack.newcomer() : sender)
      for (const attack of attacksOn(route))
        seen.push(
          await leastOf(async () =>
            send(stack.port, web, { ...attack, restPerMs, head: await headOf(attack, await senderNow()) }),
          ),
        )
    }
    const [told, untold] = [seen.filter(({ isTold }) => isTold), seen.filter(({ isTold }) => !isTold)]
    const { rises, statuses } = await sendFifty(stack.port, web, person)
    const wrong = seen.filter(({ status }) => status !== 413).map((one) => `${one.name}: ${one.status}`)
    return {
      measured: {
        'bodies too large that were not answered with 413':
          wrong.length + statuses.filter((status) => status !== 413).length,
        'most that was read beyond a limit': Math.max(...untold.map(({ beyond }) => beyond)) / KiB,
        'most that was read of a body whose length was told': Math.max(...told.map(({ read }) => read)) / KiB,
        'rise of memory with fifty files, median of three': quantile(rises, 0.5) / MiB,
        'routes that take a body': routes.length,
      },
      met: {
        'every attack wanted to send more than is allowed': seen.length >= 3 * routes.length,
        'fifty were sent at once': statuses.length === WAVES * SIDE_BY_SIDE,
      },
      evidence: [
        `${Math.round(restPerMs * 1_000)} bytes a second at rest; rises of memory: ${rises.map((rise) => Math.round(rise / MiB)).join(', ')} MiB`,
        ...wrong,
        ...seen.map((one) => `${one.name}: ${one.status}, ${Math.round(one.read / KiB)} KiB read`),
      ],
    }
  },
  sabotages: [
    patch(
      'a file is held in memory before its size is looked at',
      'packages/platform/src/http/stages/receive-body.ts',
      'withPatience(source, tooLong),',
      "(await import('node:stream')).Readable.from([await (await import('node:stream/consumers')).buffer(source)]),",
    ),
    patch(
      'JSON is measured when all of it is there',
      'packages/platform/src/http/stages/receive-body.ts',
      "if (bytes <= bytesMax) return void chunks.push(chunk)\n      stopReading(incoming)\n      end(tooLarge(bytesMax))\n    })\n    incoming.once('end', () => end())",
      "chunks.push(chunk)\n    })\n    incoming.once('end', () => end(bytes > bytesMax ? tooLarge(bytesMax) : undefined))",
    ),
    patch(
      'the length that is told is not looked at',
      'packages/platform/src/http/stages/receive-body.ts',
      'if (declared > bytesMax) throw',
      'if (declared > bytesMax && declared < 0) throw',
    ),
  ],
})

interface Attack {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly headers: readonly string[]
  readonly limit: number
  /** Its head says how long it is. */
  readonly isTold: boolean
  /** What the body begins with. */
  readonly before?: string
  readonly isChunked?: boolean
}

type Sent = Attack & Poured & { readonly read: number; readonly beyond: number }

/** Every way in which a body of this route can be too large. */
function attacksOn({ method, path, operation }: DocumentedRoute): Attack[] {
  const content = operation.requestBody?.content ?? {}
  const limit = content['application/octet-stream']?.schema.maxLength ?? JSON_MAX
  const type = 'application/json' in content ? 'application/json' : 'application/octet-stream'
  const attack = (how: string, length: string, more: Partial<Attack> = {}, contentType = type): Attack => ({
    name: `${method} ${path}, ${how}`,
    method,
    path,
    headers: [`Content-Type: ${contentType}`, length],
    limit,
    isTold: length.startsWith('Content-Length'),
    ...more,
  })
  const inChunks = 'Transfer-Encoding: chunked'
  const inForm = (how: string, before: string): Attack => {
    const more = { before, isChunked: true, limit: limit + FORM_MAX }
    return attack(how, inChunks, more, 'multipart/form-data; boundary=b')
  }
  return [
    attack('a byte too long', `Content-Length: ${limit + 1}`),
    attack('a terabyte long', `Content-Length: ${TERABYTE}`),
    attack('in chunks', inChunks, { isChunked: true }),
    attack('in one chunk of a terabyte', inChunks, { before: `${TERABYTE.toString(16)}\r\n` }),
    ...('multipart/form-data' in content
      ? [
          inForm('a form with a file', partOf('file"; filename="a.jpg')),
          inForm('a form with a field', partOf('word')),
          inForm('a form that does not begin', ''),
        ]
      : []),
  ]
}

const partOf = (name: string): string => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n`

/** Addressed to something that is there. */
async function headOf({ method, path, limit, headers }: Attack, person: Person): Promise<string> {
  const toPart = path === UPLOAD
  const upload = toPart && (await person.json<{ id: string }>('/api/uploads', jsonBody({ bytes: limit })))
  const id = upload ? upload.id : person.accountId
  const lines = [
    `${method} ${path.replace(/\{\w+\}/, id)}${toPart ? '?offset=0' : ''} HTTP/1.1`,
    'Host: a',
    `Authorization: Bearer ${person.token}`,
    'Idempotency-Key: too-large',
    ...headers,
  ]
  return `${lines.join('\r\n')}\r\n\r\n`
}

/** The process also reads for other reasons, now and then: who reads too much does so each time. */
async function leastOf(attempt: () => Promise<Sent>): Promise<Sent> {
  let least = await attempt()
  for (let tries = 1; tries < TRIES_MAX && least.status === 413 && least.beyond > READ_AHEAD; tries++) {
    const next = await attempt()
    if (next.status !== 413 || next.beyond < least.beyond) least = next
  }
  return least
}

interface Aimed extends Attack {
  readonly head: string
  /** What the process reads by itself, in bytes. */
  readonly restPerMs: number
}

async function send(port: number, pid: number, attack: Aimed): Promise<Sent> {
  const before = await settled(pid)
  const startedAt = performance.now()
  const poured = await pour(port, attack.head, piecesOf(attack))
  const beside = attack.limit > JSON_MAX ? BESIDE_UPLOAD : BESIDE
  const meanwhile = attack.restPerMs * (performance.now() - startedAt)
  const read = (await settled(pid)) - before
  return { ...attack, ...poured, read, beyond: read - attack.limit - beside - meanwhile }
}

/** As much as the limit and then more, as bytes of the wire. */
function* piecesOf({ limit, before = '', isChunked = false }: Attack): Generator<Uint8Array> {
  const frame = (bytes: Uint8Array): Uint8Array =>
    isChunked ? Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]) : bytes
  if (before) yield frame(Buffer.from(before))
  for (let bytes = 0; bytes < limit + BEYOND; bytes += PIECE.length) yield frame(PIECE)
  if (isChunked) yield Buffer.from('0\r\n\r\n')
}

/** What the process reads while nobody asks it anything, in bytes a millisecond: it looks into the database now and then. */
async function readAtRest(pid: number): Promise<number> {
  const [before, startedAt] = [await settled(pid), performance.now()]
  await new Promise((resolve) => setTimeout(resolve, 3_000))
  return (bytesReadBy(pid) - before) / (performance.now() - startedAt)
}

/** The process has nothing to read any more. */
async function settled(pid: number): Promise<number> {
  let last = -1
  return until('the process reads nothing', async () => {
    const before = last
    last = bytesReadBy(pid)
    await new Promise((resolve) => setTimeout(resolve, 40))
    return before === last && last
  })
}

/** Fifty files that are too large, at the same time, and again. */
async function sendFifty(port: number, pid: number, person: Person) {
  const headers = ['Content-Type: image/jpeg', 'Transfer-Encoding: chunked']
  const attack = {
    name: '',
    method: 'POST',
    path: '/api/cosnap/photos',
    headers,
    limit: 30 * MiB,
    isTold: false,
    isChunked: true,
  }
  const head = await headOf(attack, person)
  const [rises, statuses]: [number[], number[]] = [[], []]
  for (let wave = 0; wave < WAVES; wave++) {
    forgetPeak(pid)
    const before = residentBytes(pid)
    const all = await Promise.all(Array.from({ length: SIDE_BY_SIDE }, () => pour(port, head, piecesOf(attack))))
    rises.push(peakBytes(pid) - before)
    statuses.push(...all.map(({ status }) => status))
  }
  return { rises, statuses }
}
