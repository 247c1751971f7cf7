import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { request as askInClear } from 'node:http'
import { request as askOverTls } from 'node:https'
import { join } from 'node:path'
import { makeAuthority } from './certificates.ts'
import { bareEnvironment } from './environment.ts'
import { keepProcess } from './kept-process.ts'
import { freePort } from './ports.ts'
import type { Rig } from './rig.ts'
import { runProgram } from './run-program.ts'
import { until } from './wait.ts'

/** The name that the rendered files are for. */
export const renderedHost = 'app.example.com'

interface Ask {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** Without TLS. */
  readonly clear?: boolean
}

export interface Asked {
  /** 0 when no answer came. */
  readonly status: number
  /** Names in lower case and values in turn, as they came: what came twice is there twice. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
}

export interface RenderedNginx {
  readonly ports: { readonly clear: number; readonly tls: number }
  /** A head as an agent of people sends it, to the port with TLS. Resolves with what came. */
  ask(path: string, ask?: Ask): Promise<Asked>
  /** What the options of `https.request` need to get there. */
  readonly target: { readonly host: string; readonly port: number; readonly servername: string; readonly ca: Buffer }
}

/** Every file of a target, as an operator has it written. */
export async function renderTo(rig: Rig, target: string): Promise<string> {
  const out = mkdtempSync(join(rig.scratch, 'rendered-'))
  const entry = join(rig.product, 'packages', 'cli', 'dist', 'main.js')
  const { code, stderr } = await runProgram(process.execPath, [entry, 'render', target, '--out', out], {
    timeoutMs: 120_000,
  })
  if (code !== 0) throw new Error(`render ${target} ended with ${code}: ${stderr}`)
  return join(out, 'deploy')
}

/** What `nginx -t` says against this configuration; empty when it has nothing against it. */
export async function complaintsOf(rig: Rig, file: string): Promise<string[]> {
  const { stderr } = await runProgram(rig.program('nginx'), ['-t', '-c', file, '-e', join(rig.scratch, 'test.log')])
  return stderr.split('\n').filter((line) => /\[(warn|error|crit|alert|emerg)\]/.test(line))
}

/** The rendered configuration of a host on free ports of loopback, in front of `upstreamPort`. Needs `nginx`, `openssl`. */
export async function startRenderedNginx(rig: Rig, upstreamPort: number, rendered: string): Promise<RenderedNginx> {
  const { file, ports, ca } = await adapt(rig, join(rendered, 'nginx', 'host.conf'), upstreamPort)
  const nginx = keepProcess(rig.program('nginx'), ['-c', file, '-g', 'daemon off;', '-e', `${file}.log`], {
    env: bareEnvironment(),
    cwd: rig.scratch,
  })
  rig.defer(async () => {
    await nginx.signal('SIGTERM')
    await nginx.exited
  })
  const target = { host: '127.0.0.1', port: ports.tls, servername: renderedHost, ca }
  const ask = (path: string, how: Ask = {}): Promise<Asked> =>
    askNginx({ path, target, clearPort: ports.clear, ...how })
  await until('nginx serves', async () => {
    if (nginx.exit()) throw new Error(`nginx ended: ${nginx.output()}`)
    return (await ask('/health/live')).status > 0
  })
  return { ports, target, ask }
}

/** Ports, folders and certificates of this experiment in place of those of a host; everything else stays. */
export async function adapt(rig: Rig, path: string, upstreamPort: number) {
  const directory = mkdtempSync(join(rig.scratch, 'nginx-'))
  for (const folder of ['log', 'tls']) mkdirSync(join(directory, folder))
  const authority = await makeAuthority(rig, `nginx-${upstreamPort}-${Date.now()}`)
  const { certificate, key } = await authority.sign('proxy', `DNS:${renderedHost}`)
  const ports = { clear: await freePort(), tls: await freePort() }
  writeFileSync(join(directory, 'resolver.conf'), 'resolver 127.0.0.1 valid=2s ipv6=off;\n')
  const isRoot = process.getuid?.() === 0
  const text = readFileSync(path, 'utf8')
    .replace(/\/tmp\/|\/var\/log\/nginx\/|\/run\//g, `${directory}/`)
    .replace(/^ *listen \[::\].*\n/gm, '')
    .replace(/listen (80|8080)\b/g, `listen 127.0.0.1:${ports.clear}`)
    .replace(/listen (443|8443)\b/g, `listen 127.0.0.1:${ports.tls}`)
    .replace(/server unix:\S+/g, `server 127.0.0.1:${upstreamPort}`)
    .replace(/ssl_certificate \S+/g, `ssl_certificate ${certificate};`)
    .replace(/ssl_certificate_key \S+/g, `ssl_certificate_key ${key};`)
    .replace(/\/dev\/(stdout|stderr)/g, `${directory}/log/$1`)
  const file = join(directory, 'nginx.conf')
  // Who is not root cannot become somebody else, and nginx says so.
  writeFileSync(file, isRoot ? text : text.replace(/^user .*\n/m, ''))
  return { file, ports, ca: readFileSync(authority.certificate) }
}

interface NginxAsk extends Ask {
  readonly path: string
  readonly target: RenderedNginx['target']
  readonly clearPort: number
}

function askNginx({ path, target, clearPort, method = 'GET', headers, body, clear = false }: NginxAsk): Promise<Asked> {
  const options = { path, method, headers: { host: renderedHost, ...headers }, timeout: 20_000, agent: false }
  return new Promise((resolve) => {
    const none = (): void => resolve({ status: 0, headers: [], body: '' })
    const outgoing = clear
      ? askInClear({ ...options, host: '127.0.0.1', port: clearPort })
      : askOverTls({ ...options, ...target })
    outgoing.once('response', (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.once('close', () =>
        resolve({
          status: answer.statusCode ?? 0,
          headers: pairs(answer.rawHeaders),
          body: Buffer.concat(chunks).toString('utf8'),
        }),
      )
    })
    outgoing.once('timeout', () => outgoing.destroy())
    outgoing.once('error', none)
    outgoing.end(body)
  })
}

const pairs = (raw: readonly string[]): (readonly [string, string])[] =>
  raw.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), raw[i + 1] ?? ''] as const] : []))

/** All values of this header. */
export const allOf = ({ headers }: Asked, name: string): string[] =>
  headers.filter(([found]) => found === name).map(([, value]) => value)
