import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { atLeast, atMost, defineClaim, exactly } from '../../claim.ts'
import {
  type Asked,
  allOf,
  type RenderedNginx,
  renderedHost,
  renderTo,
  startRenderedNginx,
} from '../../rig/rendered-nginx.ts'
import type { Rig } from '../../rig/rig.ts'
import { runProgram } from '../../rig/run-program.ts'
import { patch } from '../../sabotage.ts'

const YEAR_SECONDS = 31_536_000
const SCAN_MS = 300_000

export const claim = defineClaim({
  id: 'NET-03',
  says: 'The rendered nginx speaks TLS 1.2 and 1.3 with strong suites only and every answer over it asks for https for a year; in clear, pages move to https and the API refuses',
  answers: ['H13', 'H9', 'ASVS 4.1.2', 'ASVS 12.1.1', 'ASVS 12.1.2', 'ASVS 3.4.1'],
  witness: 'sslscan, testssl.sh',
  needs: ['nginx', 'openssl', 'sslscan', 'testssl'],
  tier: 'soak',
  seconds: 75,
  limits: {
    'protocols older than 1.2': exactly(0, 'protocols'),
    'protocols of today': exactly(2, 'protocols'),
    'suites that are not strong or without forward secrecy': exactly(0, 'suites'),
    'findings of testssl.sh': exactly(0, 'findings'),
    'answers over TLS without HSTS for a year and all names below': exactly(0, 'answers'),
    'pages in clear that do not move to https': exactly(0, 'pages'),
    'requests to the API in clear that are not refused': exactly(0, 'requests'),
    'strangers who are shown a certificate or a page': atMost(0, 'strangers'),
    'suites offered': atLeast(4, 'suites'),
  },
  experiment: async (rig) => {
    const stack = await rig.start({ environment: { TRUSTED_PROXIES: '1', PUBLIC_URL: `https://${renderedHost}` } })
    const nginx = await startRenderedNginx(rig, stack.port, await renderTo(rig, 'nginx'))
    const scan = await sslscan(rig, nginx.ports.tls)
    const findings = await testssl(rig, nginx.ports.tls)
    const secured = await Promise.all(
      ['/', '/api/nothing', '/health', '/metrics', '/docs'].map((path) => nginx.ask(path)),
    )
    const pages = await Promise.all(['/', '/cosnap?a=b', '/docs'].map((path) => nginx.ask(path, { clear: true })))
    const calls = await callsInClear(nginx)
    const strangers = await seenByStrangers(rig, nginx)
    await stack.stop()
    secured.push(await nginx.ask('/'), await nginx.ask('/api/nothing'))
    const weak = scan.suites.filter((line) => !isStrong(line))
    return {
      measured: {
        'protocols older than 1.2': scan.protocols.filter((name) => !isOfToday(name)).length,
        'protocols of today': scan.protocols.filter(isOfToday).length,
        'suites that are not strong or without forward secrecy': weak.length,
        'findings of testssl.sh': findings.length,
        'answers over TLS without HSTS for a year and all names below': secured.filter((answer) => !hasHsts(answer))
          .length,
        'pages in clear that do not move to https': pages.filter((answer) => !movesOn(answer)).length,
        'requests to the API in clear that are not refused': calls.filter((answer) => !isRefused(answer)).length,
        'strangers who are shown a certificate or a page': strangers.length,
        'suites offered': scan.suites.length,
      },
      met: {
        'both scanners came to an end': scan.suites.length > 0,
        'the answers came from the service and from nginx':
          secured.some(({ status }) => status === 200) && secured.at(-1)?.status === 502,
      },
      evidence: [scan.protocols.join(', '), ...scan.suites, ...findings, ...strangers],
    }
  },
  sabotages: [
    patch(
      'TLS 1.0 and 1.1 are spoken',
      'packages/ops/src/targets/nginx/tls.ts',
      "'ssl_protocols TLSv1.2 TLSv1.3',\n  `ssl_ciphers ${suites.join(':')}`,",
      "'ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3',\n  `ssl_ciphers ${suites.join(':')}:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0`,",
    ),
    patch(
      'the API is redirected',
      'packages/ops/src/targets/nginx/locations.ts',
      "['return 403']",
      "['return 308 https://$host$request_uri']",
    ),
    patch(
      'the service asks for https for a day only',
      'packages/platform/src/http/headers.ts',
      'max-age=63072000; includeSubDomains; preload',
      'max-age=86400',
    ),
  ],
})

const isOfToday = (protocol: string): boolean => protocol === 'TLSv1.2' || protocol === 'TLSv1.3'

interface Scan {
  readonly protocols: readonly string[]
  /** Strength, protocol and name. */
  readonly suites: readonly string[]
}

async function sslscan(rig: Rig, port: number): Promise<Scan> {
  const args = ['--no-colour', '--xml=-', `--sni-name=${renderedHost}`, `127.0.0.1:${port}`]
  const { stdout } = await runProgram(rig.program('sslscan'), args, { timeoutMs: SCAN_MS })
  const elements = (name: string): Record<string, string>[] =>
    [...stdout.matchAll(new RegExp(`<${name} ([^>]*)/>`, 'g'))].map(([, text = '']) =>
      Object.fromEntries([...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value])),
    )
  return {
    protocols: elements('protocol')
      .filter(({ enabled }) => enabled === '1')
      .map(({ type, version }) => `${type === 'tls' ? 'TLSv' : 'SSLv'}${version}`),
    suites: elements('cipher').map(({ strength, sslversion, cipher }) => `${strength} ${sslversion} ${cipher}`),
  }
}

const isStrong = (line: string): boolean =>
  /^(strong|acceptable) TLSv1\.[23] (ECDHE-|TLS_)\S*(GCM|CHACHA20|POLY1305)/.test(line)

/** What it takes for a weakness of protocols, suites, server defaults or headers; the certificate is our own. */
async function testssl(rig: Rig, port: number): Promise<string[]> {
  const report = join(rig.scratch, 'testssl.json')
  const args = ['--quiet', '--color', '0', '--fast', '-p', '-s', '-h', '--ip', '127.0.0.1', '--jsonfile', report]
  const { code, stdout } = await runProgram(rig.program('testssl'), [...args, `${renderedHost}:${port}`], {
    timeoutMs: SCAN_MS,
  })
  const lines = JSON.parse(readFileSync(report, 'utf8')) as { id: string; severity: string; finding: string }[]
  if (!lines.some(({ id }) => id === 'TLS1_3'))
    throw new Error(`testssl.sh ended with ${code}: ${stdout.slice(-1_000)}`)
  return lines
    .filter(({ severity }) => ['LOW', 'MEDIUM', 'HIGH', 'CRITICAL', 'FATAL'].includes(severity))
    .map(({ id, severity, finding }) => `${severity} ${id}: ${finding}`)
}

function hasHsts(answer: Asked): boolean {
  const [value, second] = allOf(answer, 'strict-transport-security')
  if (value === undefined || second !== undefined) return false
  return Number(/max-age=(\d+)/.exec(value)?.[1]) >= YEAR_SECONDS && /includeSubDomains/i.test(value)
}

const movesOn = (answer: Asked): boolean =>
  [301, 308].includes(answer.status) && (allOf(answer, 'location')[0] ?? '').startsWith(`https://${renderedHost}/`)

const isRefused = (answer: Asked): boolean => answer.status >= 400 && allOf(answer, 'location').length === 0

async function callsInClear(nginx: RenderedNginx): Promise<Asked[]> {
  const headers = { authorization: 'Bearer of-somebody', 'content-type': 'application/json' }
  return Promise.all([
    nginx.ask('/api/identity/me', { clear: true, headers }),
    nginx.ask('/api/identity/sign-in', { clear: true, headers, method: 'POST', body: '{}' }),
    nginx.ask('/media/x', { clear: true }),
    nginx.ask('/socket/?EIO=4&transport=websocket', { clear: true }),
  ])
}

/** Whoever names another host, or none. */
async function seenByStrangers(rig: Rig, nginx: RenderedNginx): Promise<string[]> {
  const named = await Promise.all(
    [true, false].map((clear) => nginx.ask('/', { clear, headers: { host: 'another.example' } })),
  )
  const handshake = await runProgram(rig.program('openssl'), [
    's_client',
    '-connect',
    `127.0.0.1:${nginx.ports.tls}`,
    '-noservername',
  ])
  return [
    ...named.filter(({ status }) => status !== 421).map(({ status }) => `another host was answered with ${status}`),
    ...(handshake.stdout.includes('BEGIN CERTIFICATE') ? ['a certificate was shown to who named no host'] : []),
  ]
}
