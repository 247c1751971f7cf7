import { connect } from 'node:net'
import { jpegPhoto, type Newcomer, openTestService, type TestService, until } from '@seaworthy/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

describe('HTTP', () => {
  let service: TestService
  let person: Newcomer
  beforeAll(async () => {
    service = await openTestService({ ALLOWED_ORIGINS: 'https://friend.example' })
    person = await service.newcomer()
  })
  afterAll(() => service.close())

  /** Bytes on a bare socket, and all that comes back. */
  function raw(bytes: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(Number(new URL(service.url).port), '127.0.0.1', () => socket.write(bytes, 'latin1'))
      let answer = ''
      socket.setTimeout(5_000, () => socket.destroy())
      socket.on('data', (chunk) => {
        answer += chunk.toString('latin1')
      })
      socket.on('close', () => resolve(answer))
      socket.on('error', reject)
    })
  }

  it.each([
    ['nonsense', 'nonsense\r\n\r\n', 400],
    ['two Host headers', 'GET /api/cosnap/effects HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n', 400],
    ['no Host header', 'GET /api/cosnap/effects HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['headers without end', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    [
      'two lengths',
      'POST /api/identity/sign-in HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
      400,
    ],
    [
      'a length beside chunks',
      'POST /api/identity/sign-in HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['broken percent signs', 'GET /api/cosnap/photos/%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 400],
    ['a NUL in the address', 'GET /api/cosnap/photos/%00 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 400],
    [
      'a path value longer than any id',
      `GET /api/cosnap/photos/${'x'.repeat(300)} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
      404,
    ],
  ])('answers %s with a problem of its own and security headers', async (_, bytes, status) => {
    const answer = await raw(bytes)
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(answer.toLowerCase()).toContain('content-type: application/problem+json')
    expect(answer.toLowerCase()).toContain('x-content-type-options: nosniff')
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1)
  })

  it('answers a request that offers another protocol, in this one', async () => {
    const offer = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n'
    expect(await raw(`GET /health HTTP/1.1\r\nHost: a\r\n${offer}\r\n`)).toMatch(/^HTTP\/1.1 200 /)
    expect(await raw(`GET /nowhere HTTP/1.1\r\nHost: a\r\n${offer}\r\n`)).toMatch(/^HTTP\/1.1 404 /)
    const body = 'Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}'
    expect(await raw(`POST /api/identity/sign-in HTTP/1.1\r\nHost: a\r\n${offer}${body}`)).toMatch(/^HTTP\/1.1 400 /)
  })

  it('reads nothing more on a connection whose request it could not understand', async () => {
    const two = (host: string) => `GET /api/cosnap/effects HTTP/1.1\r\n${host}\r\n`
    const answer = await raw(two('Host: a\r\nHost: b\r\n') + two('Host: a\r\n'))
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1)
  })

  it('cuts off a body that is announced and never comes', async () => {
    const started = Date.now()
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(Number(new URL(service.url).port), '127.0.0.1', () =>
        socket.write(
          'POST /api/identity/sign-in HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{',
        ),
      )
      let text = ''
      socket.on('data', (chunk) => {
        text += chunk
      })
      socket.on('close', () => resolve(text))
    })
    expect(answer).toMatch(/^HTTP\/1.1 408 /)
    expect(Date.now() - started).toBeLessThan(15_000)
  })

  it('answers 413 before it has read an upload that says how large it is', async () => {
    const answer = await raw(
      `POST /api/cosnap/photos HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${person.token}\r\nContent-Type: image/jpeg\r\nContent-Length: 99000000\r\n\r\n`,
    )
    expect(answer).toMatch(/^HTTP\/1.1 413 /)
  })

  it('answers 413 to a form that goes on and on without a file', async () => {
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(Number(new URL(service.url).port), '127.0.0.1', () => {
        socket.write(
          `POST /api/cosnap/photos HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${person.token}\r\nContent-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n`,
        )
        socket.write(Buffer.alloc(32 << 20, 'x'))
      })
      let text = ''
      socket.on('data', (chunk) => {
        text += chunk
      })
      socket.on('error', () => undefined)
      socket.on('close', () => resolve(text))
    })
    expect(answer).toMatch(/^HTTP\/1.1 413 /)
  })

  it('keeps the request id of the caller, or makes one, and continues the trace', async () => {
    const given = await fetch(`${service.url}/api/cosnap/effects`, {
      headers: {
        'x-request-id': 'my-request-42',
        traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      },
    })
    expect(given.headers.get('x-request-id')).toBe('my-request-42')
    expect(given.headers.get('traceparent')).toMatch(/^00-4bf92f3577b34da6a3ce929d0e0e4736-(?!00f067aa0ba902b7)/)
    const hostile = await fetch(`${service.url}/api/cosnap/effects`, { headers: { 'x-request-id': '<script>' } })
    expect(hostile.headers.get('x-request-id')).toMatch(/^[0-9a-f]{32}$/)
  })

  it('lets listed sites read, and no site that only looks like one', async () => {
    const allowed = async (origin: string) =>
      (await fetch(`${service.url}/api/cosnap/effects`, { headers: { origin } })).headers.get(
        'access-control-allow-origin',
      )
    expect(await allowed('https://friend.example')).toBe('https://friend.example')
    for (const origin of [
      'https://evil.example',
      'https://friend.example.evil.example',
      'http://friend.example',
      'https://xfriend.example',
      'https://friend.example:8443',
      'null',
    ]) {
      expect(await allowed(origin), origin).toBeNull()
    }
    const preflight = (origin: string) =>
      fetch(`${service.url}/api/cosnap/runs`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      })
    const good = await preflight('https://friend.example')
    expect([good.status, good.headers.get('vary')]).toEqual([204, 'Origin'])
    expect((await preflight('https://evil.example')).status).toBe(403)
  })

  it('compresses long answers for those who can read them', async () => {
    const plain = await (
      await fetch(`${service.url}/api/cosnap/effects`, { headers: { 'accept-encoding': 'identity' } })
    ).json()
    for (const encoding of ['br', 'gzip']) {
      const response = await fetch(`${service.url}/api/cosnap/effects`, { headers: { 'accept-encoding': encoding } })
      expect(response.headers.get('content-encoding')).toBe(encoding)
      expect(await response.json()).toEqual(plain)
    }
  })

  it('gives an API client a problem and a person the page for an unknown address', async () => {
    expect((await fetch(`${service.url}/nowhere`)).status).toBe(404)
    // The start page exists, also for curl and health checks of others, which take anything.
    const start = await fetch(`${service.url}/?from=curl`)
    expect([start.status, start.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    expect((await fetch(service.url, { headers: { accept: 'application/json' } })).status).toBe(404)
    const page = await fetch(`${service.url}/nowhere`, { headers: { accept: 'text/html' } })
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    expect(page.headers.get('content-security-policy')).not.toContain('unsafe')
    expect((await fetch(`${service.url}/api/nowhere`, { headers: { accept: 'text/html' } })).status).toBe(404)
  })

  it('tells visitors only whether it is ready, and operators the rest', async () => {
    expect(await (await fetch(`${service.url}/health/live`)).json()).toEqual({ status: 'ok' })
    expect(await (await fetch(`${service.url}/health/ready`)).json()).toEqual({ status: 'ok' })
    expect((await fetch(`${service.url}/health/detailed`)).status).toBe(401)
    expect((await person.fetch('/health/detailed')).status).toBe(403)
  })

  it('writes one audit line for each change, with its outcome, and none that the app could change', async () => {
    const someone = await service.newcomer()
    await someone.fetch('/api/cosnap/photos?name=x.jpg', { method: 'POST', body: await jpegPhoto() })
    await someone.fetch('/api/cosnap/runs/01890000-0000-7000-8000-000000000000/cancel', { method: 'POST' })
    const { rows } = await service.test.admin.query(
      'select action, outcome, status, error_code, network from seaworthy.audit where account_id = $1 order by created_at',
      [someone.accountId],
    )
    expect(rows).toMatchObject([
      { action: 'sign_up', outcome: 'done', status: 201 },
      { action: 'photo_upload', outcome: 'done', status: 201, network: '127.0.x.x' },
      { action: 'effect_cancel', outcome: 'refused', status: 404, error_code: 'not_found' },
    ])
    for (const statement of [
      'update seaworthy.audit set action = action',
      'delete from seaworthy.audit',
      'truncate seaworthy.audit',
    ]) {
      await expect(
        service.test.admin.query(`begin; set local role seaworthy_app; ${statement}`),
        statement,
      ).rejects.toThrow(/permission denied/)
      await service.test.admin.query('rollback')
    }
  })

  it('counts requests by route template, so that no caller can make new time series', async () => {
    for (let i = 0; i < 50; i++) await fetch(`${service.url}/api/cosnap/photos/${crypto.randomUUID()}`)
    const text = await until('the metric is there', async () => {
      const found = await service.capabilities.metrics.text()
      return found.includes('/api/cosnap/photos/{id}') ? found : undefined
    })
    expect(text).toMatch(
      /http_request_duration_seconds_count\{method="GET",route="\/api\/cosnap\/photos\/\{id\}",status_code="401"\} 50/,
    )
    expect(text).not.toMatch(/photos\/[0-9a-f]{8}-/)
  })

  it('counts pages beside them, as one series', async () => {
    const pages = /http_request_duration_seconds_count\{method="GET",route="page",status_code="200"\} (\d+)/
    const read = async () => {
      const text = await service.capabilities.metrics.text()
      return { text, count: Number(pages.exec(text)?.[1] ?? 0) }
    }
    const before = await read()
    for (const path of ['/', '/invented/1', '/invented/2'])
      await (await fetch(`${service.url}${path}`, { headers: { accept: 'text/html' } })).arrayBuffer()
    const { text } = await until('they are counted', async () => {
      const now = await read()
      return now.count === before.count + 3 ? now : undefined
    })
    expect(text).not.toContain('invented')
  })

  it('writes a log line for each request, without addresses, tokens or names', async () => {
    await person.fetch('/api/cosnap/photos?name=secret-holiday.jpg', { method: 'POST', body: await jpegPhoto() })
    const text = service.log.join('\n')
    expect(text).toMatch(/"message":"request","method":"POST","route":"\/api\/cosnap\/photos","status":201/)
    for (const hidden of [person.email, person.token, person.password, 'secret-holiday', '127.0.0.1'])
      expect(text).not.toContain(hidden)
  })
})
