import type { Description } from '../../description/index.ts'
import { rendered } from '../target.ts'
import { inClear, locations, SLACK_BYTES } from './locations.ts'
import { errorPages, onlyOverHttps, ownPages, ownProblems, ownWords } from './own-answers.ts'
import { block, type Line, toText } from './text.ts'
import { certificateLines, tls } from './tls.ts'
import type { Variant } from './variants.ts'

const CONNECTIONS = 16_384
/** A browser opens a hundred at most; behind one address may be an office. */
const CONNECTIONS_PER_NETWORK = 500
const CONNECT_SECONDS = 2
/** The service pings a socket every 25 seconds, and ends every statement and call long before. */
const ANSWER_SECONDS = 75

/** The whole configuration of nginx in front of the service. */
export function renderNginx(description: Description, variant: Variant): string {
  return `${rendered()}${toText([
    'worker_processes auto',
    `worker_rlimit_nofile ${4 * CONNECTIONS}`,
    `worker_shutdown_timeout ${description.http.requestSeconds}s`,
    ...variant.process,
    '',
    block('events', [`worker_connections ${CONNECTIONS}`]),
    '',
    block('http', [
      ...log,
      ...variant.around,
      '',
      ...limits(description),
      '',
      ...toClients(description),
      '',
      ...(variant.certificate ? [...tls, ''] : []),
      ...toService(variant),
      '',
      ...maps(description),
      ...errorPages('program'),
      '',
      ...servers(description, variant),
    ]),
  ])}`
}

/** The service writes down each request that reaches it; the same request has the same id here. */
const log: readonly string[] = [
  '# No addresses of pages, which hold ids, and no whole address of a person.',
  `log_format own escape=json '{"level":"info","time":"$time_iso8601","process":"nginx","message":"request","method":"$request_method","status":$status,"seconds":$request_time,"upstream":"$upstream_status","bytes":$bytes_sent,"request":"$request_id","network":"$masked_network"}'`,
]

const limits = ({ http }: Description): readonly string[] => [
  '# Floods only: the service counts exactly, for all of its processes, and says how long to wait.',
  `limit_req_zone $network zone=requests:10m rate=${http.networkRequests / 2}r/s`,
  '# Twice what the service lets through in a whole window: who must wait is told so by it.',
  `limit_req zone=requests burst=${2 * http.networkRequests} nodelay`,
  'limit_req_status 429',
  'limit_conn_zone $network zone=connections:10m',
  `limit_conn connections ${CONNECTIONS_PER_NETWORK}`,
  'limit_conn_status 429',
]

const toClients = ({ http }: Description): readonly string[] => [
  'server_tokens off',
  'default_type application/octet-stream',
  `client_header_timeout ${http.headerSeconds}s`,
  '# The service ends silent bodies a little earlier, with words.',
  `client_body_timeout ${http.silenceSeconds + 3}s`,
  `send_timeout ${http.silenceSeconds + 3}s`,
  'reset_timedout_connection on',
  `keepalive_timeout ${http.keepAliveSeconds}s`,
  'client_header_buffer_size 2k',
  `large_client_header_buffers 2 ${http.headerBytes / 1_024}k`,
  `client_max_body_size ${http.jsonBytes + SLACK_BYTES}`,
  '# The service compresses what may be compressed, once, and never what holds a secret.',
  'gzip off',
  'absolute_redirect off',
]

const toService = ({ nextReplica, certificate, wayIn }: Variant): readonly string[] => [
  wayIn,
  'proxy_http_version 1.1',
  '# As the bytes come: the service measures, limits and stores them while they arrive, and nothing is kept here.',
  'proxy_request_buffering off',
  'proxy_max_temp_file_size 0',
  'proxy_buffer_size 16k',
  'proxy_buffers 8 16k',
  `proxy_connect_timeout ${CONNECT_SECONDS}s`,
  `proxy_read_timeout ${ANSWER_SECONDS}s`,
  `proxy_send_timeout ${ANSWER_SECONDS}s`,
  ...(nextReplica
    ? [
        '# Without buffering nginx asks another replica only while it has sent nothing: no request is carried out twice.',
        'proxy_next_upstream error timeout',
        'proxy_next_upstream_tries 3',
        `proxy_next_upstream_timeout ${2 * CONNECT_SECONDS}s`,
      ]
    : ['proxy_next_upstream off']),
  `proxy_set_header Host ${certificate ? '$host' : '$http_host'}`,
  '# Set and not appended: what the caller claims ends here (TRUSTED_PROXIES=1).',
  'proxy_set_header X-Forwarded-For $remote_addr',
  'proxy_set_header X-Forwarded-Proto $scheme',
  ...['Forwarded', 'X-Forwarded-Host', 'X-Real-IP'].map((name) => `proxy_set_header ${name} ''`),
  '# A connection for each request: one that was kept may end at the moment when it is used again.',
  'proxy_set_header Upgrade $websocket',
  'proxy_set_header Connection $websocket_connection',
]

const maps = (description: Description): readonly Line[] => [
  '# A subscriber of IPv6 owns a /64.',
  block('map $remote_addr $network', ['default $remote_addr', `"~^(?<subscriber>(?:[0-9a-f]+:){4})" $subscriber`]),
  block('map $remote_addr $masked_network', [
    "default ''",
    `"~^(?<half>\\d+\\.\\d+)\\." $half.x.x`,
    `"~^(?<third>[0-9a-f]+:[0-9a-f]+):" $third:x`,
  ]),
  '# No other protocol, and nowhere else.',
  block('map "$http_upgrade $uri" $websocket', [
    "default ''",
    `"~*^websocket ${description.http.sockets}(/|$)" websocket`,
  ]),
  block('map $websocket $websocket_connection', ['default close', 'websocket upgrade']),
  onlyOverHttps(description),
  ...ownWords(),
]

function servers(description: Description, variant: Variant): readonly Line[] {
  const { certificate, listen, host, inServer } = variant
  const problems = ownProblems(description)
  const service = [...inServer, ...locations(description, variant), ownPages(description), problems]
  if (!certificate || !listen.tls)
    return [block('server', [...listenOn(variant, listen.clear), `server_name ${host}`, ...service])]
  return [
    '# Who names no host of ours is shown no certificate, and nothing else.',
    block('server', [
      ...listenOn(variant, listen.clear, ' default_server'),
      ...listenOn(variant, listen.tls, ' ssl http2 default_server'),
      'server_name _',
      'ssl_reject_handshake on',
      block('location /', ['return 421']),
      problems,
    ]),
    '',
    block('server', [
      ...listenOn(variant, listen.clear),
      `server_name ${host}`,
      ...inClear(description, variant),
      problems,
    ]),
    '',
    block('server', [
      ...listenOn(variant, listen.tls, ' ssl http2'),
      `server_name ${host}`,
      ...certificateLines(certificate),
      '',
      ...service,
    ]),
  ]
}

const listenOn = (variant: Variant, port: number, more = ''): readonly string[] => [
  `listen ${port}${more}`,
  ...(variant.ipv6 ? [`listen [::]:${port}${more}`] : []),
]
