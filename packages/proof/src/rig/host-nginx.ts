import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bareEnvironment } from './environment.ts'
import { keepProcess } from './kept-process.ts'
import { freePort } from './ports.ts'
import { renderedHost, renderTo } from './rendered-nginx.ts'
import type { Rig } from './rig.ts'
import { runProgram } from './run-program.ts'
import { statusOf } from './stack.ts'
import { until } from './wait.ts'

/** An nginx in front of the ten links of a host. */
export interface HostProxy {
  readonly url: string
  /** File of the authority that signed its certificate, where it speaks TLS. */
  readonly authority?: string
}

/** The rendered configuration of one host. Ports, folders, name and certificate are of this experiment; all else stays. Needs `nginx`, `openssl`. */
export async function startRenderedProxy(rig: Rig, run: string): Promise<HostProxy> {
  const directory = join(rig.scratch, 'nginx')
  mkdirSync(join(directory, 'log'), { recursive: true })
  const { certificate, key } = await makeCertificate(rig, directory)
  const ports = { clear: await freePort(), tls: await freePort() }
  const text = readFileSync(join(await renderTo(rig, 'nginx'), 'nginx', 'host.conf'), 'utf8')
    .replaceAll(renderedHost, 'localhost')
    // Folders of an experiment are for whoever runs it alone.
    .replace(/^user .*$/m, process.getuid?.() === 0 ? 'user root;' : '')
    .replace(/^pid .*$/m, `pid ${directory}/nginx.pid;`)
    .replaceAll('/var/log/nginx/', `${directory}/log/`)
    .replace(/^ *listen \[::\].*\n/gm, '')
    .replace(/listen 80\b/g, `listen 127.0.0.1:${ports.clear}`)
    .replace(/listen 443\b/g, `listen 127.0.0.1:${ports.tls}`)
    .replace(/server unix:\S+\/(slot-\d\.sock)/g, `server unix:${run}/$1`)
    .replace(/ssl_certificate \S+/, `ssl_certificate ${certificate};`)
    .replace(/ssl_certificate_key \S+/, `ssl_certificate_key ${key};`)
  const file = join(directory, 'nginx.conf')
  writeFileSync(file, text)
  await startNginx(rig, directory, ['-c', file, '-g', 'daemon off;'])
  await until('nginx answers', async () => (await statusOf(`http://127.0.0.1:${ports.clear}`)) > 0)
  return { url: `https://localhost:${ports.tls}`, authority: certificate }
}

/** Its own authority, and good for longer than a deploy asks for. */
async function makeCertificate(rig: Rig, directory: string): Promise<{ certificate: string; key: string }> {
  const [certificate, key] = [join(directory, 'certificate.pem'), join(directory, 'key.pem')]
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const { code, stderr } = await runProgram(rig.program('openssl'), [
    ...['req', '-x509', '-days', '30', ...curve, ...names],
    ...['-keyout', key, '-out', certificate],
  ])
  if (code !== 0) throw new Error(`openssl ended with ${code}: ${stderr}`)
  return { certificate, key }
}

/** Few lines that do what the rendered ones do for releases: ten links, no second try. It says over which link an answer came. */
export async function startBareProxy(rig: Rig, run: string): Promise<HostProxy> {
  const directory = join(rig.scratch, 'nginx')
  mkdirSync(join(directory, 'tmp'), { recursive: true })
  const port = await freePort()
  writeFileSync(join(directory, 'nginx.conf'), bare(port, run))
  await startNginx(rig, directory, ['-c', 'nginx.conf'])
  const url = `http://127.0.0.1:${port}`
  await until('nginx answers', async () => (await statusOf(url)) > 0)
  return { url }
}

async function startNginx(rig: Rig, directory: string, args: readonly string[]): Promise<void> {
  const nginx = keepProcess(rig.program('nginx'), ['-p', `${directory}/`, '-e', 'error.log', ...args], {
    env: bareEnvironment(),
    cwd: directory,
  })
  rig.defer(async () => {
    await nginx.signal('SIGTERM')
    await nginx.exited
  })
  await nginx.pid
}

const SLOTS = 10

const bare = (port: number, run: string): string => `
daemon off; master_process off; pid nginx.pid; error_log error.log;
events { worker_connections 2048; }
http {
  access_log off;
  client_body_temp_path tmp/body; proxy_temp_path tmp/proxy; fastcgi_temp_path tmp/f; uwsgi_temp_path tmp/u; scgi_temp_path tmp/s;
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  upstream web {
    zone web 64k;
    ${Array.from({ length: SLOTS }, (_, slot) => `server unix:${run}/slot-${slot}.sock max_fails=0;`).join('\n    ')}
  }
  server {
    listen 127.0.0.1:${port};
    client_max_body_size 40m;
    location / {
      proxy_pass http://web; proxy_http_version 1.1; proxy_request_buffering off; proxy_next_upstream off;
      proxy_set_header Connection $connection_upgrade; proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;
      add_header x-slot $upstream_addr always;
    }
  }
}
`
