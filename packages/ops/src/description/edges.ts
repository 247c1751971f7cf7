import type { Description } from './description.ts'
import type { Place, Role } from './places.ts'
import { type DeployedSetting, valuesOf } from './values.ts'

type About = Parameters<typeof valuesOf>[0] & Pick<Description, 'ports'>

/** Who opens connections: people, what watches, and the processes of a deployment. */
export const callers = ['people', 'monitoring', 'proxy', 'web', 'worker', 'migrate'] as const

export type Caller = (typeof callers)[number]

/** Who answers them. `outside` are services that others run: storage for files, mail. */
export const answerers = ['proxy', 'web', 'worker', 'database', 'redis', 'outside'] as const

export type Answerer = (typeof answerers)[number]

/** `from` may open TCP connections to `port` of `to`. Whatever is not on the list is refused. */
export interface Edge {
  readonly from: Caller
  readonly to: Answerer
  readonly port: number
  readonly why: string
}

const HTTPS = 443
/** Mail is handed over with TLS from the start, or from the second line on. */
const SUBMISSION = [465, 587] as const

/** Who may reach whom at a place: networks of containers and NetworkPolicies are both made from this one list. */
export function edgesOf(about: About, place: Place): readonly Edge[] {
  const { ports } = about
  const edges = (from: readonly Caller[], to: Answerer, port: number, why: string): readonly Edge[] =>
    from.map((caller) => ({ from: caller, to, port, why }))
  const uses = (role: Role, setting: DeployedSetting): boolean =>
    valuesOf(about, place, role).some(([name, value]) => name === setting && value !== '')
  const storing = (['web', 'worker'] as const).filter((role) => uses(role, 'S3_ENDPOINT'))
  return [
    ...edges(['people'], 'proxy', ports.proxyHttp, 'are sent on to HTTPS'),
    ...edges(['people'], 'proxy', ports.proxyHttps, 'are served'),
    ...edges(['proxy'], 'web', ports.http, 'passes on what people ask'),
    ...edges(['web', 'worker', 'migrate'], 'database', ports.database, 'reads and writes'),
    ...edges(['web'], 'redis', ports.redis, 'counts limits for all its processes'),
    ...edges(['monitoring'], 'web', ports.admin, 'reads metrics'),
    ...edges(['monitoring'], 'worker', ports.admin, 'reads metrics'),
    ...edges(storing, 'outside', HTTPS, 'stores and reads files'),
    ...(uses('worker', 'SMTP_URL') ? SUBMISSION : []).flatMap((port) =>
      edges(['worker'], 'outside', port, 'hands over mail'),
    ),
  ]
}
