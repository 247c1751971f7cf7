import { defineClaim, exactly } from '../../claim.ts'
import { type RawAnswer, sendRaw } from '../../rig/raw.ts'
import { patch } from '../../sabotage.ts'

/** What every answer must carry, errors of the HTTP parser included. */
const required: readonly (readonly [name: string, form: RegExp])[] = [
  ['content-security-policy', /default-src 'none'/],
  ['x-content-type-options', /^nosniff$/],
  ['referrer-policy', /no-referrer|same-origin|strict-origin/],
  ['cross-origin-opener-policy', /^same-origin$/],
  ['cross-origin-resource-policy', /^same-origin$/],
]
const forbidden = ['x-powered-by', 'server', 'x-xss-protection']

const request = (line: string, headers = '', body = ''): string =>
  `${line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n${headers}\r\n${body}`
const json = (length: number): string => `content-type: application/json\r\ncontent-length: ${length}\r\n`

const requests: Readonly<Record<string, readonly [status: number, bytes: string]>> = {
  'a page': [200, request('GET /', 'accept: text/html\r\n')],
  health: [200, request('GET /health')],
  'the OpenAPI document': [200, request('GET /openapi.json')],
  'an unknown address': [404, request('GET /nowhere')],
  'no sign-in': [401, request('GET /api/cosnap/photos')],
  'broken JSON': [400, request('POST /api/identity/sign-in', json(2), '{]')],
  'too large': [413, request('POST /api/identity/sign-in', json(9_000_000))],
  'another site': [
    403,
    request('POST /api/identity/sign-out', 'origin: https://evil.example\r\ncontent-length: 0\r\n'),
  ],
  'another kind of content': [
    415,
    request('POST /api/identity/sign-in', 'content-type: text/plain\r\ncontent-length: 1\r\n', 'x'),
  ],
  'no HTTP at all': [400, 'HELLO\r\n\r\n'],
  'two hosts': [400, 'GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n'],
  'headers too large': [431, request('GET /', `x: ${'y'.repeat(40_000)}\r\n`)],
}

export const claim = defineClaim({
  id: 'NET-01',
  says: 'Every answer carries the security headers: pages, errors, and what the HTTP parser refuses',
  answers: ['H9', 'H10', 'ASVS 3.4.1', 'ASVS 3.4.3', 'ASVS 3.4.4', 'ASVS 3.4.5'],
  witness: 'raw sockets',
  tier: 'fast',
  seconds: 3,
  limits: {
    'headers missing': exactly(0, 'headers'),
    'headers that tell too much': exactly(0, 'headers'),
    'answers of another status': exactly(0, 'answers'),
  },
  experiment: async (rig) => {
    const { port } = await rig.service()
    const answers = await Promise.all(
      Object.entries(requests).map(async ([what, [status, bytes]]) => ({
        what,
        status,
        answer: await sendRaw(port, bytes),
      })),
    )
    const missing = answers.flatMap(({ what, answer }) => missingFrom(answer).map((name) => `${what}: ${name}`))
    const telling = answers.flatMap(({ what, answer }) =>
      forbidden.filter((name) => name in answer.headers).map((name) => `${what}: ${name}`),
    )
    const other = answers.filter(({ status, answer }) => answer.statuses[0] !== status)
    return {
      measured: {
        'headers missing': missing.length,
        'headers that tell too much': telling.length,
        'answers of another status': other.length,
      },
      met: { 'every request was answered': answers.every(({ answer }) => answer.statuses.length > 0) },
      evidence: [
        ...missing.map((line) => `missing: ${line}`),
        ...telling,
        ...other.map(({ what, status, answer }) => `${what}: ${answer.statuses[0]} instead of ${status}`),
      ],
    }
  },
  sabotages: [
    patch(
      'answers of the HTTP parser come without headers',
      'packages/platform/src/http/problem-answers.ts',
      "...headers,\n    'content-length'",
      "'content-length'",
    ),
    patch(
      'sniffing of content is not forbidden',
      'packages/platform/src/http/headers.ts',
      "'x-content-type-options': 'nosniff',",
      '',
    ),
  ],
})

const missingFrom = (answer: RawAnswer): string[] =>
  required.filter(([name, form]) => !form.test(answer.headers[name] ?? '')).map(([name]) => name)
