import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { atLeast, defineClaim, exactly } from '../../claim.ts'
import { jpegPhoto, type Run, untilIdle, uploadPhoto } from '../../rig/photo.ts'
import { sendRaw } from '../../rig/raw.ts'
import type { Stack } from '../../rig/stack.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const zeros = '0'.repeat(32)
const span = '00f067aa0ba902b7'

/** Ids that nobody may plant in a log, or that W3C Trace Context calls invalid. */
const hostile: readonly (readonly [header: string, value: string])[] = [
  ['traceparent', `00-${zeros}-${span}-01`],
  ['traceparent', `00-4bf92f3577b34da6a3ce929d0e0e4736-${'0'.repeat(16)}-01`],
  ['traceparent', `ff-4bf92f3577b34da6a3ce929d0e0e4736-${span}-01`],
  ['traceparent', `00-4BF92F3577B34DA6A3CE929D0E0E4736-${span}-01`],
  ['traceparent', `00-4bf92f3577b34da6a3ce929d0e0e4736'--${span}-01`],
  ['traceparent', `00-4bf92f3577b34da6a3ce929d0e0e4736*/;select 1--${span}-01`],
  ['traceparent', `00-4bf92f3577b34da6a3ce929d0e0e4736-${span}`],
  ['x-request-id', 'x"},{"level":"error","message":"planted"'],
  ['x-request-id', '<script>alert(1)</script>'],
  ['x-request-id', '../../etc/passwd'],
  ['x-request-id', 'a'.repeat(65)],
  ['x-request-id', 'short'],
  ['x-request-id', '\x1b[31mred\x1b[0m-red-red'],
]

export const claim = defineClaim({
  id: 'OBS-07',
  says: "A caller's trace id is in the answer, the request's log line, the SQL, the job and the job's log line; ids that are no ids are replaced",
  answers: ['O7', 'ASVS 16.2.1', 'ASVS 16.4.1'],
  witness: "PostgreSQL's own log of statements",
  tier: 'full',
  seconds: 8,
  limits: {
    'places where the trace id is missing': exactly(0, 'places'),
    'statements with the trace id': atLeast(2, 'statements'),
    'hostile ids that were kept': exactly(0, 'ids'),
  },
  experiment: async (rig) => {
    const stack = await rig.start()
    const person = await stack.newcomer()
    const photoId = await uploadPhoto(person, await jpegPhoto(64, 48))
    const admin = await stack.database('admin')
    await admin.query(`alter system set log_statement = 'all'`)
    await admin.query('select pg_reload_conf()')
    const traceId = Array.from({ length: 32 }, () => '0123456789abcdef'[Math.floor(rig.random() * 16)]).join('')
    const response = await person.fetch('/api/cosnap/runs', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'idempotency-key': `trace-${traceId}`,
        traceparent: `00-${traceId}-${span}-01`,
      },
      body: JSON.stringify({ photoId, effect: 'noir', strength: 60 }),
    })
    const { jobId } = (await response.json()) as Run
    await untilIdle(person)
    const { rows } = await admin.query<{ trace: string | null }>('select trace from seaworthy.jobs where id = $1', [
      jobId,
    ])
    const hasLine = (message: string) => () =>
      stack.log().some((line) => line.message === message && line.trace === traceId)
    const logged = (message: string) =>
      until(`the line "${message}" with the trace`, hasLine(message), 3_000).catch(() => false)
    const places = {
      'the answer': response.headers.get('traceparent')?.slice(3, 35) === traceId,
      "the request's log line": await logged('request'),
      'the job': rows[0]?.trace?.slice(3, 35) === traceId,
      "the job's log line": await logged('job done'),
    }
    const statements = statementsOf(stack).filter((line) => line.includes(`traceparent='00-${traceId}-`))
    const kept = []
    for (const [header, value] of hostile)
      if (await isKept(stack, header, value, person.token)) kept.push(`${header}: ${value}`)
    return {
      measured: {
        'places where the trace id is missing': Object.values(places).filter((found) => !found).length,
        'statements with the trace id': statements.length,
        'hostile ids that were kept': kept.length,
      },
      met: {
        'the effect was made': response.status === 202 && rows.length === 1,
        'PostgreSQL wrote its statements down': statementsOf(stack).length > 10,
      },
      evidence: [JSON.stringify(places), ...statements.slice(0, 3).map((line) => line.slice(0, 200)), ...kept],
    }
  },
  sabotages: [
    patch(
      'every hop gets a new trace id',
      'packages/platform/src/telemetry/trace.ts',
      'traceId: match[1], spanId',
      'traceId: randomHex(16), spanId',
    ),
    patch(
      'the statements do not say whose they are',
      'packages/platform/src/data/database.ts',
      'options.trace && traceForm.test(options.trace)',
      'options.trace && false',
    ),
    patch(
      'every id is believed',
      'packages/platform/src/http/stages/correlate.ts',
      "typeof given === 'string' && idForm.test(given)",
      "typeof given === 'string' && idForm",
    ),
    patch('a trace of zeros is continued', 'packages/platform/src/telemetry/trace.ts', '!/^0+$/.test(match[1]) &&', ''),
  ],
})

const statementsOf = (stack: Stack): string[] =>
  readFileSync(join(stack.dataDirectory, 'database.log'), 'utf8')
    .split('\n')
    .filter((line) => /LOG: {2}(statement|execute)/.test(line))

/** In the headers of the answer, or in a line of the log. */
async function isKept(stack: Stack, header: string, value: string, token: string): Promise<boolean> {
  const head = `GET /api/cosnap/credits HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer ${token}\r\n`
  const answer = await sendRaw(stack.port, `${head}${header}: ${value}\r\n\r\n`)
  const requestId = answer.headers['x-request-id'] ?? ''
  const answered = answer.statuses[0] === 200 || answer.statuses[0] === 400
  if (!answered) throw new Error(`${header}: ${value} was answered ${answer.statuses[0]}`)
  const trace = answer.headers.traceparent?.slice(3, 35) ?? ''
  const told = header === 'traceparent' ? value.toLowerCase().includes(trace) && trace !== '' : requestId === value
  return told || stack.output().includes(`"${value}"`)
}
