import { KiB } from '@seaworthy/core'
import type { Description } from '../../description/index.ts'
import { errorPages } from './own-answers.ts'
import { block, type Line } from './text.ts'
import type { Variant } from './variants.ts'

/** What is a little too large is told so by the service, which knows by how much; nginx only cuts what is far off. */
export const SLACK_BYTES = 64 * KiB

/** Where programs are answered; everything else is pages. */
const forPrograms = 'api|assets|health|media|openapi\\.json|\\.well-known'

/** How requests are divided: each kind with what it may send. */
export function locations({ http, probes }: Description, { upstream }: Variant): readonly Line[] {
  const pass = `proxy_pass http://${upstream}`
  return [
    '# For machines of ours only, on a port of their own.',
    ...[probes.metrics, '/health/detailed'].map((address) => block(`location = ${address}`, ['return 404'])),
    '',
    ...http.uploads.map(({ address, maxBytes }) =>
      block(`location ${exactly(address)}`, [`client_max_body_size ${maxBytes + http.formBytes + SLACK_BYTES}`, pass]),
    ),
    block(`location ~ ^/(${forPrograms})(/|$)`, [pass]),
    block(`location ^~ ${http.sockets}/`, [pass]),
    block('location /', [...errorPages('person'), pass]),
  ]
}

/** A regular expression where a part of the address varies. */
const exactly = (address: string): string =>
  address.includes('{') ? `~ ^${address.replace(/\{[^}]+\}/g, '[^/]+')}$` : `= ${address}`

/** All that is asked in clear: pages move on, and what a program sent must not look as if it had gone well. */
export const inClear = ({ http }: Description, { host, challenges }: Variant): readonly Line[] => [
  ...(challenges ? [block('location ^~ /.well-known/acme-challenge/', [`root ${challenges}`])] : []),
  block(`location ~ ^(/api|/media|${http.sockets})(/|$)`, ['return 403']),
  block('location /', [`return 308 https://${host}$request_uri`]),
]
