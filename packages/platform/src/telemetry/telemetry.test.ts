import { DAY, newId, Secret } from '@seaworthy/core'
import { turnableClock } from '@seaworthy/testkit'
import { describe, expect, it } from 'vitest'
import { createHealth } from './health.ts'
import { asLogLine, createLogger, createMemoryLogger } from './logger.ts'
import { createMetrics, mergeSnapshots } from './metrics.ts'
import { maskAddress, redactText } from './patterns.ts'
import { createPseudonyms } from './pseudonyms.ts'
import { createRedact } from './redact.ts'
import { continueTrace } from './trace.ts'

describe('log', () => {
  it('never shows planted secrets and personal values, whatever shape they come in', () => {
    const canaries = [
      'hunter2-canary',
      'canary@example.com',
      '4111 1111 1111 1111',
      'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl',
      'canary-query-value',
    ]
    const [password = '', email = '', card = '', token = '', query = ''] = canaries
    const log = createMemoryLogger()
    log.info('shapes', {
      password,
      userPassword: password,
      user_password: password,
      'USER-PASSWORD': password,
      nested: { deep: [{ authorization: `Bearer ${password}` }] },
      secret: new Secret(password),
      wrapped: { value: new Secret(password) },
      text: `mail to ${email} with ${card}`,
      url: `https://x.example/?token=${query}&a=1`,
      database: `postgresql://me:${password}@db/x`,
      error: new Error(`failed for ${email}`, { cause: new Error(`inner ${token}`) }),
      header: `Bearer ${token}`,
      email,
    })
    const text = log.lines.join('\n')
    for (const canary of canaries) expect(text, canary).not.toContain(canary)
    expect(text).toContain('shapes')
  })

  it('finds personal values in free text, lists of headers, causes and sets of errors', () => {
    const log = createMemoryLogger()
    log.error('shapes', {
      runbook: 'requests-fail',
      list: ['Cookie', 'canary-cookie', 'Accept', 'text/html'],
      headers: new Headers({ 'x-api-key': 'canary-key' }),
      map: new Map([['phoneNumber', 'canary-phone']]),
      error: new AggregateError([new Error('token=canary-inner')], 'all failed', {
        cause: { deep: [[{ card_number: 'canary-card' }]] },
      }),
      text: 'call +49 170 1234567 or (555) 123-4567, pay DE89 3704 0044 0532 0130 00, password: "canary-text", from 203.0.113.9',
      url: new URL('https://x.example/a?email=canary-url&b=1'),
      query: '/callback?code=canary-code&x=1',
      why: 'url=https://x.example/?access_token=canary-nested',
      name: 'canary-name',
    })
    const text = log.lines.join('\n')
    expect(text).not.toMatch(/canary-(?!name)|1234567|123-4567|0532|113\.9/)
    expect(text).toContain('203.0.x.x')
    expect(text).toContain('text/html')
  })

  it('keeps the names of segments of the log of the database, which begin like numbers of telephones', () => {
    const name = 'the segment wal/00000001/00000000/000000010000000000000015 is missing'
    expect(redactText(name)).toBe(name)
    expect(redactText('call 0049 170 12345.')).toBe('call [REDACTED:phone].')
  })

  it('calls people by names that only the installation can find out, and other names the next day', () => {
    const clock = turnableClock()
    const pseudonym = createPseudonyms(new Secret('0123456789abcdef0123456789abcdef'), clock)
    const lines: string[] = []
    const settings = { level: 'info', process: 'test', write: (line: string) => void lines.push(line) } as const
    const log = createLogger({ ...settings, redact: createRedact({ pseudonym, personal: new Set(['name']) }) })
    const id = newId()
    log.info('a', { userId: id, nested: { account_id: id }, name: 'canary', job: id, text: `no account ${id}` })
    const [first] = lines.map((line) => JSON.parse(line))
    expect(first).toMatchObject({ name: '[REDACTED]', job: id, text: 'no account [REDACTED:id]' })
    expect(first.userId).toMatch(/^p-[0-9a-f]{12}$/)
    expect(first.nested.account_id).toBe(first.userId)
    clock.turn(DAY)
    expect(pseudonym(id)).not.toBe(first.userId)
    expect(pseudonym(id, clock.now() - DAY)).toBe(first.userId)
  })

  it.each([
    ['info', 1],
    ['warn', 0],
  ] as const)('at level %s writes %i lines of requests', (level, count) => {
    const lines: string[] = []
    createLogger({ level, process: 'test', write: (line) => void lines.push(line) }).line('{"level":"info"}')
    expect(lines).toHaveLength(count)
  })

  it('makes a line of JSON of whatever a part prints', () => {
    const line = '{"level":"info","message":"ready"}'
    expect(asLogLine(line, 'web')).toBe(line)
    expect(JSON.parse(asLogLine('Error: for a@b.example', 'web'))).toMatchObject({
      process: 'web',
      text: 'Error: for [REDACTED:email]',
    })
  })

  it('masks the host part of addresses', () => {
    expect(maskAddress('203.0.113.7')).toBe('203.0.x.x')
    expect(maskAddress('::ffff:203.0.113.7')).toBe('203.0.x.x')
    expect(maskAddress('2001:db8:1:2::3')).toBe('2001:db8::')
  })

  it('survives what cannot be written as JSON', () => {
    const log = createMemoryLogger()
    const loop: Record<string, unknown> = {}
    loop.self = loop
    log.warn('odd', {
      loop,
      big: 10n ** 20n,
      bytes: Buffer.alloc(10_000),
      many: Array.from({ length: 5_000 }, (_, i) => i),
    })
    expect(log.lines[0]?.length).toBeLessThan(5_000)
  })
})

describe('trace', () => {
  const header = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  it('continues a well-formed trace with a span of its own', () => {
    const trace = continueTrace(header)
    expect(trace.traceId).toBe('4bf92f3577b34da6a3ce929d0e0e4736')
    expect(trace.spanId).not.toBe('00f067aa0ba902b7')
  })
  it.each([
    undefined,
    '',
    'x',
    `${header}-extra`,
    header.toUpperCase(),
    '00-00000000000000000000000000000000-00f067aa0ba902b7-01',
    '00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01',
    'ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  ])('starts a new trace for %s', (given) => {
    const trace = continueTrace(given)
    expect(trace.header).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
    expect(trace.traceId).not.toBe('4bf92f3577b34da6a3ce929d0e0e4736')
  })
})

describe('health', () => {
  it('is not ready when something it needs fails, and only degraded when something else does', async () => {
    const clock = turnableClock()
    const health = createHealth(clock)
    let failing: string[] = []
    for (const [name, kind] of [
      ['database', 'must'],
      ['provider', 'nice'],
    ] as const) {
      health.add({
        name,
        kind,
        runbook: 'provider-down',
        check: async () => (failing.includes(name) ? Promise.reject(new Error('down')) : undefined),
      })
    }
    const statusWith = async (...names: string[]) => {
      failing = names
      clock.turn(1_500)
      return (await health.report()).status
    }
    expect(await statusWith()).toBe('ok')
    expect(await statusWith('provider')).toBe('degraded')
    expect(await statusWith('database')).toBe('failed')
    health.drain()
    expect(await statusWith()).toBe('failed')
  })

  it('answers although a check hangs', async () => {
    const health = createHealth()
    health.add({ name: 'hung', kind: 'must', runbook: 'service-down', check: () => new Promise(() => undefined) })
    expect((await health.report()).parts[0]).toMatchObject({ status: 'failed' })
  })
})

describe('metrics', () => {
  it('adds up the counts of several processes', async () => {
    const processes = [createMetrics(), createMetrics()]
    for (const [i, metrics] of processes.entries())
      metrics.counter('things_total', 'Things.', ['kind'])({ kind: 'a' }, i + 2)
    expect(await mergeSnapshots(await Promise.all(processes.map((metrics) => metrics.snapshot())))).toContain(
      'things_total{kind="a"} 5',
    )
  })

  it('call nothing a total that is not a counter', async () => {
    const text = await createMetrics().text()
    expect(text).toContain('# TYPE process_cpu_seconds_total counter')
    expect([...text.matchAll(/^# TYPE (\S+_total) gauge$/gm)].map((match) => match[1])).toEqual([])
  })
})
