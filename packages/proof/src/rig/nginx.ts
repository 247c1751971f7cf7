import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bareEnvironment } from './environment.ts'
import { keepProcess } from './kept-process.ts'
import { freePort } from './ports.ts'
import type { Rig } from './rig.ts'
import { statusOf } from './stack.ts'
import { until } from './wait.ts'

export interface Nginx {
  readonly url: string
  readonly port: number
  /** One line for each request that it passed on: status, and what it sent upstream as `X-Forwarded-For`. */
  accessLog(): readonly string[]
}

/** Nginx on a port of loopback in front of `upstreamPort`, as a careful operator sets it up. The claim needs `nginx`. */
export async function startNginx(rig: Rig, upstreamPort: number): Promise<Nginx> {
  const directory = mkdtempSync(join(rig.scratch, 'nginx-'))
  mkdirSync(join(directory, 'tmp'))
  const port = await freePort()
  writeFileSync(join(directory, 'nginx.conf'), configuration(port, upstreamPort))
  const nginx = keepProcess(rig.program('nginx'), ['-p', `${directory}/`, '-c', 'nginx.conf', '-e', 'error.log'], {
    env: bareEnvironment(),
    cwd: directory,
  })
  rig.defer(async () => {
    await nginx.signal('SIGTERM')
    await nginx.exited
  })
  const url = `http://127.0.0.1:${port}`
  await until('nginx serves', async () => {
    if (nginx.exit()) throw new Error(`nginx ended: ${nginx.output()}`)
    return (await statusOf(`${url}/health`)) > 0
  })
  return {
    url,
    port,
    accessLog: () => readFileSync(join(directory, 'access.log'), 'utf8').split('\n').filter(Boolean),
  }
}

/** One process, everything below its own directory. Bodies are passed on as they come, over connections that stay open. */
const configuration = (port: number, upstreamPort: number): string => `
daemon off; master_process off; pid nginx.pid; error_log error.log;
events { worker_connections 1024; }
http {
  log_format passed '$status $proxy_add_x_forwarded_for';
  access_log access.log passed;
  client_body_temp_path tmp/body; proxy_temp_path tmp/proxy; fastcgi_temp_path tmp/f; uwsgi_temp_path tmp/u; scgi_temp_path tmp/s;
  upstream product { server 127.0.0.1:${upstreamPort}; keepalive 1; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://product; proxy_http_version 1.1; proxy_request_buffering off;
      proxy_set_header Connection ""; proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;
    }
  }
}
`
