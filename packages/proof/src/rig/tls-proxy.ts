import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { bareEnvironment } from './environment.ts'
import { keepProcess } from './kept-process.ts'
import { freePort } from './ports.ts'
import type { Rig } from './rig.ts'
import { statusOf } from './stack.ts'
import { until } from './wait.ts'

export interface TlsProxy {
  readonly httpPort: number
  readonly httpsPort: number
  /** The path of its own certificate, for `localhost`. */
  readonly certificate: string
}

/** Nginx with TLS in front of `upstreamPort`; plain HTTP is sent on to it. The claim needs `nginx` and `openssl`. */
export async function startTlsProxy(rig: Rig, upstreamPort: number): Promise<TlsProxy> {
  const directory = mkdtempSync(join(rig.scratch, 'tls-'))
  mkdirSync(join(directory, 'tmp'))
  const certificate = join(directory, 'certificate.pem')
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const key = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    join(directory, 'key.pem'),
  ]
  await promisify(execFile)(rig.program('openssl'), [
    'req',
    '-x509',
    '-days',
    '2',
    ...key,
    '-out',
    certificate,
    ...subject,
  ])
  const [httpPort, httpsPort] = [await freePort(), await freePort()]
  writeFileSync(join(directory, 'nginx.conf'), configuration(httpPort, httpsPort, upstreamPort))
  const nginx = keepProcess(rig.program('nginx'), ['-p', `${directory}/`, '-c', 'nginx.conf', '-e', 'error.log'], {
    env: bareEnvironment(),
    cwd: directory,
  })
  rig.defer(async () => {
    await nginx.signal('SIGTERM')
    await nginx.exited
  })
  await until('nginx answers', async () => {
    if (nginx.exit()) throw new Error(`nginx ended: ${nginx.output()}`)
    return (await statusOf(`http://127.0.0.1:${httpPort}/health`)) !== 0 || undefined
  })
  return { httpPort, httpsPort, certificate }
}

const configuration = (httpPort: number, httpsPort: number, upstreamPort: number): string => `
daemon off; master_process off; pid nginx.pid; error_log error.log;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path tmp/body; proxy_temp_path tmp/proxy; fastcgi_temp_path tmp/f; uwsgi_temp_path tmp/u; scgi_temp_path tmp/s;
  server {
    listen 127.0.0.1:${httpPort}; server_name localhost;
    location /health { proxy_pass http://127.0.0.1:${upstreamPort}; }
    location / { return 301 https://localhost:${httpsPort}$request_uri; }
  }
  server {
    listen 127.0.0.1:${httpsPort} ssl; server_name localhost;
    ssl_certificate certificate.pem; ssl_certificate_key key.pem; ssl_protocols TLSv1.2 TLSv1.3;
    location / {
      proxy_pass http://127.0.0.1:${upstreamPort}; proxy_http_version 1.1;
      proxy_set_header Host $http_host; proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
  }
}
`
