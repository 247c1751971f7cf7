import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { jpegPhoto, signUp, statusOf, until } from '@seaworthy/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { useReleases } from './releases.ts'

const NGINX = '/usr/sbin/nginx'
const REQUESTS_MIN = 600
const CALLERS = 8
const TRICKLE_MS = 250
/** What a process says that had to wait for its processor: a whole answer, and no loss. */
const FULL = '503 Too many requests at once. Try again in a second.'

/** Keeps connections to whatever the socket's name leads to, and tries nothing twice. */
const configuration = (port: number, socket: string): string => `
daemon off; master_process off; pid nginx.pid; error_log error.log;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path tmp/body; proxy_temp_path tmp/proxy; fastcgi_temp_path tmp/f; uwsgi_temp_path tmp/u; scgi_temp_path tmp/s;
  upstream product { server unix:${socket}; keepalive 16; keepalive_timeout 4s; }
  server {
    listen 127.0.0.1:${port};
    client_max_body_size 50m;
    location / {
      proxy_pass http://product; proxy_http_version 1.1; proxy_request_buffering off; proxy_next_upstream off;
      proxy_set_header Connection ""; proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
  }
}
`

describe.skipIf(!existsSync(NGINX))('a release that takes the place of another behind nginx', () => {
  const releases = useReleases()

  it('loses no request over kept connections, nor an upload that is under way', {
    timeout: 180_000,
  }, async () => {
    const [old, next] = await Promise.all(['old', 'new'].map((name) => startBehind(name)))
    const url = await startNginx()
    const people = await Promise.all(Array.from({ length: 4 }, () => signUp(url)))
    const calls = callWithoutEnd(
      url,
      people.map(({ token }) => token),
    )
    const upload = await beginUpload(url, people[0]?.token ?? '')
    await until('the callers are at work', () => calls.answers.length > REQUESTS_MIN / 4, 60_000)
    turnTo('new')
    old?.signal('SIGTERM')
    await until('it stops', () => old?.output().includes('"message":"stopping"') ?? false, 30_000)
    const atStop = calls.answers.length
    await until('the callers go on', () => calls.answers.length > atStop + 100, 60_000)
    expect(await upload.finish()).toBe(201)
    await old?.ended()
    const before = calls.answers.length
    await until('enough was asked', () => calls.answers.length > Math.max(REQUESTS_MIN, before + 100), 120_000)
    await calls.stop()
    expect(calls.answers.filter((answer) => answer !== '200' && answer !== FULL)).toEqual([])
    expect(calls.answers.filter((answer) => answer === '200').length).toBeGreaterThan(REQUESTS_MIN / 2)
    expect(old?.output()).toContain('"message":"request"')
    expect(next?.output()).toContain('"route":"/api/cosnap/credits"')
  })

  const path = (name: string): string => join(releases.directory(), `${name}.sock`)

  async function startBehind(name: string) {
    const release = await releases.start({
      ...releases.database(),
      SOCKET: path(name),
      TRUSTED_PROXIES: '1',
      SHUTDOWN_TIMEOUT: '2m',
    })
    await release.ready()
    return release
  }

  /** As a deployment does it: the name leads to the one or the other at every moment. */
  function turnTo(name: string): void {
    symlinkSync(path(name), `${path('web')}.next`)
    renameSync(`${path('web')}.next`, path('web'))
  }

  async function startNginx(): Promise<string> {
    turnTo('old')
    const directory = join(releases.directory(), 'nginx')
    mkdirSync(join(directory, 'tmp'), { recursive: true })
    const port = await freePort()
    writeFileSync(join(directory, 'nginx.conf'), configuration(port, path('web')))
    const nginx = spawn(NGINX, ['-p', `${directory}/`, '-c', 'nginx.conf', '-e', 'error.log'], { stdio: 'ignore' })
    onTestFinished(() => void nginx.kill('SIGKILL'))
    const url = `http://127.0.0.1:${port}`
    await until('nginx passes requests on', async () => (await statusOf(`${url}/health/ready`)) === 200)
    return url
  }
})

/** Several callers, each with a connection of its own that it keeps. An answer is its status, and why where it is none. */
function callWithoutEnd(url: string, tokens: readonly string[]) {
  const answers: string[] = []
  const agent = new Agent({ keepAlive: true, maxSockets: CALLERS })
  let isOver = false
  const ask = (token: string | undefined): Promise<string> =>
    new Promise((resolve) => {
      const asked = request(
        `${url}/api/cosnap/credits`,
        { agent, headers: { authorization: `Bearer ${token}` } },
        (answer) => {
          text(answer).then(
            (body) => resolve(answer.statusCode === 200 ? '200' : `${answer.statusCode} ${detailOf(body)}`),
            (error: Error) => resolve(`cut off: ${error.message}`),
          )
        },
      )
      asked.once('error', (error) => resolve(`no answer: ${error.message}`))
      asked.end()
    })
  const callers = Array.from({ length: CALLERS }, async (_, i) => {
    while (!isOver) answers.push(await ask(tokens[i % tokens.length]))
  })
  return {
    answers,
    stop: async () => {
      isOver = true
      await Promise.all(callers)
      agent.destroy()
    },
  }
}

function detailOf(body: string): string {
  try {
    return String((JSON.parse(body) as { detail?: string }).detail)
  } catch {
    return body
  }
}

/** The first half of a photo is there, and a little more comes all the time; `finish` sends the rest. */
async function beginUpload(url: string, token: string) {
  const photo = Buffer.from(await jpegPhoto(1_200, 900))
  let sentBytes = Math.floor(photo.length / 2)
  const headers = { authorization: `Bearer ${token}`, 'content-length': photo.length }
  const sent = request(`${url}/api/cosnap/photos?name=boat.jpg`, { method: 'POST', headers })
  const status = new Promise<number>((resolve) => {
    sent.once('response', (answer) => resolve(answer.statusCode ?? 0))
    sent.once('error', () => resolve(0))
  })
  sent.write(photo.subarray(0, sentBytes))
  const trickle = setInterval(() => sent.write(photo.subarray(sentBytes, ++sentBytes)), TRICKLE_MS)
  return {
    finish: () => {
      clearInterval(trickle)
      sent.end(photo.subarray(sentBytes))
      return status
    },
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
