import { type PlatformErrorCode, platformErrors } from '@seaworthy/core'
import { pagePolicy } from '@seaworthy/platform/http'
import type { Description } from '../../description/index.ts'
import { type Block, block, quoted } from './text.ts'

/** What nginx answers by itself, when the service cannot or must not be asked. */
interface OwnAnswer {
  readonly status: number
  readonly code: PlatformErrorCode
  readonly detail: string
  /** Names of nginx for the same thing, which are no statuses. */
  readonly also?: readonly number[]
  readonly retryAfterSeconds?: number
}

const RETRY_SECONDS = 5

const ownAnswers: readonly OwnAnswer[] = [
  { status: 400, code: 'malformed_request', detail: 'Nothing of it reached the service.', also: [495, 496, 497] },
  { status: 403, code: 'https_required', detail: 'Whatever this request carried was sent in clear: replace it.' },
  { status: 404, code: 'not_found', detail: 'Nothing is served at this address.' },
  { status: 405, code: 'malformed_request', detail: 'This method is not used here.' },
  { status: 408, code: 'request_timeout', detail: 'Please send it again, over a faster connection.' },
  { status: 413, code: 'payload_too_large', detail: 'Far more came than is accepted at this address.' },
  { status: 414, code: 'malformed_request', detail: 'The address is too long.' },
  { status: 421, code: 'not_found', detail: 'Nothing is served under this name.' },
  {
    status: 429,
    code: 'too_many_requests',
    detail: 'More came from your network at once than anybody needs.',
    retryAfterSeconds: RETRY_SECONDS,
  },
  { status: 431, code: 'headers_too_large', detail: 'Cookies of this site may be the reason.', also: [494] },
  { status: 500, code: 'internal', detail: 'Please try again.' },
  ...[502, 503, 504].map(
    (status): OwnAnswer => ({
      status,
      code: 'unavailable',
      detail: 'It comes back by itself, usually within seconds.',
      retryAfterSeconds: RETRY_SECONDS,
    }),
  ),
]

export type Reader = 'program' | 'person'

const addresses: Readonly<Record<Reader, string>> = { program: '/.own/problem', person: '/.own/page' }

/** Which errors are answered with texts of our own, for whom. What the service answers is passed on as it is. */
export const errorPages = (reader: Reader): readonly string[] => [
  `error_page ${ownAnswers.map(({ status }) => status).join(' ')} ${addresses[reader]}/$status`,
  ...ownAnswers.flatMap(({ status, also = [] }) =>
    also.length ? [`error_page ${also.join(' ')} =${status} ${addresses[reader]}/${status}`] : [],
  ),
]

/** The words of these texts, by status. */
export const ownWords = (): readonly Block[] => [
  wordsOf('own_code', ({ code }) => code),
  wordsOf('own_title', ({ code }) => platformErrors[code].title),
  wordsOf('own_detail', ({ detail }) => detail),
  wordsOf('own_wait', ({ retryAfterSeconds }) => retryAfterSeconds?.toString()),
  wordsOf('own_more', ({ retryAfterSeconds: wait }) => (wait ? `,"retryAfterSeconds":${wait}` : undefined)),
]

const wordsOf = (name: string, wordOf: (answer: OwnAnswer) => string | undefined): Block =>
  block(`map $own_status $${name}`, [
    "default ''",
    ...ownAnswers.flatMap((answer) => {
      const value = wordOf(answer)
      return value === undefined ? [] : [`${answer.status} ${quoted(value)}`]
    }),
  ])

/** As the service shows a problem (`problemOf`). */
const problem =
  '{"type":"/docs/errors#$own_code","title":"$own_title","status":$own_status,"code":"$own_code","detail":"$own_detail"$own_more,"requestId":"$request_id"}'

const style =
  ':root{color-scheme:light dark;font:1.1rem/1.6 system-ui,sans-serif}main{max-width:34rem;margin:20vh auto 0;padding:0 1.5rem}p{opacity:.8}'

const pageOf = ({ title }: Pick<Description, 'title'>): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>$own_title · ${title}</title><style>${style}</style><main><h1>$own_title</h1><p>$own_detail</p><p><small>$own_status · $request_id</small></p></main></html>`

/** Where the problems are. Nobody can ask for them. */
export const ownProblems = (description: Description): Block =>
  textAt(
    'program',
    'application/problem+json; charset=utf-8',
    problem,
    headersOf(description, description.http.dataPolicy),
  )

/** Where the pages are. */
export function ownPages(description: Description): Block {
  const page = pageOf(description)
  return textAt('person', 'text/html; charset=utf-8', page, headersOf(description, pagePolicy(page)))
}

const textAt = (reader: Reader, type: string, text: string, headers: readonly string[]): Block =>
  block(`location ~ ^${addresses[reader].replaceAll('.', '\\.')}/(?<own_status>\\d+)$`, [
    'internal',
    `default_type ${quoted(type)}`,
    ...headers,
    `return 200 ${quoted(text)}`,
  ])

/** Those of the service, and only here: what the service answers has them already. */
const headersOf = ({ http }: Description, policy: string): readonly string[] =>
  Object.entries({
    ...http.headers,
    'strict-transport-security': '$only_over_https',
    'content-security-policy': policy,
    'cache-control': 'no-store',
    'retry-after': '$own_wait',
    'x-request-id': '$request_id',
  }).map(([name, value]) => `add_header ${name} ${quoted(value)} always`)

/** HSTS where it means something: a browser ignores what it is told in clear. */
export const onlyOverHttps = ({ http }: Description): Block =>
  block('map $https $only_over_https', ["default ''", `on ${quoted(http.headers['strict-transport-security'] ?? '')}`])
