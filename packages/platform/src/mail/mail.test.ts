import { Secret, systemClock } from '@seaworthy/core'
import { openTestDatabase, type TestDatabase, turnableClock, until } from '@seaworthy/testkit'
import { SMTPServer } from 'smtp-server'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createMemoryLogger, createMetrics } from '../telemetry/index.ts'
import { openSmtp } from './drivers/nodemailer.ts'
import { checkMail, eraseOldMail, listMail, readMail, sendMail, startMailSender } from './index.ts'
import { takeDue } from './queue.ts'
import { type MailTransport, parseSmtpUrl, Undeliverable } from './transport.ts'

const HOUR = 3_600_000
const letter = {
  to: 'ann@example.com',
  subject: 'Confirm your address',
  paragraphs: ['Please confirm that this is your address.'],
  action: { label: 'Confirm', url: 'https://app.example.com/verify#token=secret-of-the-link' },
}

describe('mail', () => {
  let test: TestDatabase
  const cleanups: (() => unknown)[] = []
  beforeAll(async () => {
    test = await openTestDatabase()
  })
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
    await test.admin.query('delete from seaworthy.mail')
  })
  afterAll(() => test.close())

  const write = (mail: Partial<typeof letter & { expiresAt: Date }> = {}): Promise<string> =>
    test.database.withDuty('identity', (tx) => sendMail(tx, { ...letter, ...mail }))
  const read = (id: string) => test.database.withDuty('operations', (tx) => readMail(tx, id))
  const make = (row: string): Promise<unknown> => test.admin.query(`update seaworthy.mail set ${row}`)

  function start(transport: MailTransport, clock = systemClock) {
    const log = createMemoryLogger()
    const metrics = createMetrics()
    const sender = startMailSender({ database: test.database, transport, log, metrics, clock })
    cleanups.push(() => sender.stop())
    return { log, metrics }
  }
  const transport = (deliver: MailTransport['deliver']): MailTransport => ({ deliver, close: () => undefined })
  const failing = (error: Error) => transport(() => Promise.reject(error))

  /** A mail server on loopback that keeps what it is given, and may refuse. */
  async function openServer(refuse?: (address: string) => Error | undefined) {
    const received: { to: string[]; text: string }[] = []
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onRcptTo: ({ address }, _session, done) => done(refuse?.(address)),
      onData: (stream, session, done) => {
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('end', () => {
          received.push({
            to: session.envelope.rcptTo.map(({ address }) => address),
            text: Buffer.concat(chunks).toString(),
          })
          done()
        })
      },
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
    cleanups.push(() => new Promise<void>((resolve) => server.close(() => resolve())))
    const { port } = server.server.address() as { port: number }
    const open = () =>
      openSmtp({ url: new Secret(`smtp://127.0.0.1:${port}`), from: 'Seaworthy <mail@app.example.com>' })
    return { received, open }
  }
  const refusal = (responseCode: number, message: string): Error => Object.assign(new Error(message), { responseCode })

  it('is written with the change that it tells about, or not at all', async () => {
    await test.database
      .withDuty('identity', async (tx) => {
        await sendMail(tx, letter)
        throw new Error('undone')
      })
      .catch(() => undefined)
    const kept = await write()
    const listed = await test.database.withDuty('operations', (tx) => listMail(tx, 10))
    expect(listed.map(({ id }) => id)).toEqual([kept])
    expect(await read(kept)).toMatchObject({ state: 'waiting', body: { paragraphs: letter.paragraphs } })
  })

  it('can be written by anybody, and read by nobody who has no duty', async () => {
    const account = await test.makeAccount()
    await test.database.withCaller(account, (tx) => sendMail(tx, letter))
    expect(await test.database.withCaller(account, (tx) => listMail(tx, 10))).toEqual([])
    expect(await test.database.withDuty('identity', (tx) => listMail(tx, 10))).toEqual([])
    await expect(test.database.withDuty('operations', (tx) => eraseOldMail(tx, 10))).resolves.toBe(0)
  })

  it.each([
    ['a second header in the subject', { subject: 'Hello\r\nBcc: everybody@example.com' }],
    ['a line break in the subject', { subject: 'Hello\nthere' }],
    ['no subject', { subject: '' }],
    ['a second header in the address', { to: 'ann@example.com\r\nBcc: everybody@example.com' }],
    ['two addresses', { to: 'ann@example.com,ben@example.com' }],
    ['a name with an address', { to: 'Ann <ann@example.com>' }],
    ['no address', { to: 'ann' }],
    ['a script as the action', { action: { label: 'Go', url: 'javascript:alert(1)' } }],
  ])('refuses %s', async (_, wrong) => {
    await expect(write(wrong)).rejects.toMatchObject({ code: 'invalid_input' })
  })

  it('has a database that refuses a second header too', async () => {
    const insert = (to: string, subject: string) =>
      test.admin.query(`insert into seaworthy.mail (id, recipient, subject) values (gen_random_uuid(), $1, $2)`, [
        to,
        subject,
      ])
    await expect(insert('ann@example.com\nBcc: b@example.com', 'x')).rejects.toThrow(/mail_recipient_check/)
    await expect(insert('ann@example.com', 'x\r\ny')).rejects.toThrow(/mail_subject_check/)
  })

  it('arrives at a mail server as two parts of the same words, and what it said is then forgotten', async () => {
    const server = await openServer()
    const id = await write()
    start(server.open())
    await until('the mail is sent', async () => (await read(id)).state === 'sent')
    expect(await read(id)).toMatchObject({ body: null, problem: null, tries: 1 })
    const [{ to, text } = { to: [], text: '' }] = server.received
    expect(to).toEqual(['ann@example.com'])
    expect(text).toMatch(/^From: Seaworthy <mail@app\.example\.com>\r$/m)
    expect(text).toMatch(/^Subject: Confirm your address\r$/m)
    expect(text).toMatch(new RegExp(`^Message-ID: <${id}@app\\.example\\.com>\r$`, 'm'))
    expect(text).toMatch(/^Auto-Submitted: auto-generated\r$/m)
    expect(text).toMatch(/Content-Type: text\/plain/)
    expect(text).toMatch(/Content-Type: text\/html/)
    expect(
      text
        .replaceAll('=\r\n', '')
        .replaceAll('=3D', '=')
        .match(/secret-of-the-link/g)?.length,
    ).toBe(3)
  })

  it('is sent once, however many processes send', async () => {
    const server = await openServer()
    const ids = await Promise.all(Array.from({ length: 30 }, (_, i) => write({ to: `p${i}@example.com` })))
    for (let i = 0; i < 4; i++) start(server.open())
    await until('all are sent', async () => (await Promise.all(ids.map(read))).every(({ state }) => state === 'sent'))
    expect(server.received.flatMap(({ to }) => to).sort()).toEqual(ids.map((_, i) => `p${i}@example.com`).sort())
  })

  it('is taken over from a process that was killed with it in hand, and not before', async () => {
    const id = await write()
    expect(await takeDue(test.database, 5)).toHaveLength(1)
    expect(await takeDue(test.database, 5)).toHaveLength(0)
    await make(`due_at = now()`)
    const server = await openServer()
    start(server.open())
    await until('another one sends it', async () => (await read(id)).state === 'sent')
    expect(await read(id)).toMatchObject({ tries: 2 })
  })

  it('is tried again, later each time, while the mail server is away', async () => {
    const id = await write()
    const { log } = start(failing(new Error('connect ECONNREFUSED')))
    await until('it is postponed', async () => (await read(id)).problem !== null)
    expect(await read(id)).toMatchObject({ state: 'waiting', tries: 1, problem: 'connect ECONNREFUSED' })
    const wait = async (): Promise<number> => {
      const { rows } = await test.admin.query(
        `select extract(epoch from due_at - now())::float as s from seaworthy.mail`,
      )
      return rows[0].s
    }
    expect(await wait()).toBeGreaterThan(4)
    await make('due_at = now(), tries = 8')
    // While it is in hand, nobody else may take it for three minutes.
    await until('it is postponed for longer', async () => (await read(id)).tries === 9 && (await wait()) > 600)
    expect(await wait()).toBeLessThan(3_700)
    expect(log.lines.some((line) => line.includes('will be tried again'))).toBe(true)
  })

  it('is given up after a day, and what it said is forgotten', async () => {
    const id = await write()
    const clock = turnableClock(Date.now() + 25 * HOUR)
    const { metrics, log } = start(failing(new Error('connect ECONNREFUSED')), clock)
    await until('it is given up', async () => (await read(id)).state === 'failed')
    expect(await read(id)).toMatchObject({ body: null, problem: 'connect ECONNREFUSED' })
    await until('it is counted', async () => (await metrics.text()).includes('mail_total{outcome="failed"} 1'))
    expect(log.lines.some((line) => line.includes('given up') && line.includes('"level":"error"'))).toBe(true)
  })

  it('is given up at once when the server says that there is no such address', async () => {
    const server = await openServer(() => refusal(550, 'no such user'))
    const id = await write()
    start(server.open())
    await until('it is given up', async () => (await read(id)).state === 'failed')
    expect(await read(id)).toMatchObject({ tries: 1, problem: expect.stringContaining('no such user') })
  })

  it('is tried again when the server says that it is busy', async () => {
    const server = await openServer(() => refusal(451, 'try again later'))
    const id = await write()
    start(server.open())
    await until('it is postponed', async () => (await read(id)).problem !== null)
    expect(await read(id)).toMatchObject({ state: 'waiting' })
  })

  it('is not sent once it is of no use, and what it said is erased', async () => {
    const id = await write({ expiresAt: new Date(Date.now() - 1) })
    expect(await takeDue(test.database, 5)).toHaveLength(0)
    expect(await read(id)).toMatchObject({ body: null })
    expect(await test.database.withDuty('mail', (tx) => eraseOldMail(tx, 10))).toBe(1)
    const { rows } = await test.admin.query('select state, body from seaworthy.mail')
    expect(rows).toEqual([{ state: 'expired', body: null }])
  })

  it('is removed after thirty days', async () => {
    await write()
    await make(`created_at = now() - interval '31 days'`)
    await test.database.withDuty('mail', (tx) => eraseOldMail(tx, 10))
    expect((await test.admin.query('select 1 from seaworthy.mail')).rowCount).toBe(0)
  })

  it('shows in health when none goes out, and not when one address takes none', async () => {
    await write()
    await checkMail(test.database)
    await make(`created_at = now() - interval '6 minutes', problem = 'connect ECONNREFUSED'`)
    await expect(checkMail(test.database)).rejects.toThrow('1 mails wait and none goes out: connect ECONNREFUSED')
    await write()
    start(transport(() => Promise.resolve()))
    await until('the other one is sent', async () => {
      const listed = await test.database.withDuty('operations', (tx) => listMail(tx, 10))
      return listed.some(({ state }) => state === 'sent')
    })
    await make(`state = 'waiting', ended_at = null where problem is not null`)
    await checkMail(test.database)
  })

  it('goes to another machine encrypted or not at all', () => {
    expect(parseSmtpUrl('smtp://mail.example.com')).toEqual({
      host: 'mail.example.com',
      port: 587,
      secure: false,
      requireTLS: true,
    })
    expect(
      parseSmtpUrl('smtps://ann%40x:p%3Aw@mail.example.com?tls.rejectUnauthorized=false&requireTLS=false'),
    ).toEqual({
      host: 'mail.example.com',
      port: 465,
      secure: true,
      requireTLS: false,
      auth: { user: 'ann@x', pass: 'p:w' },
    })
    for (const here of ['smtp://127.0.0.1:25', 'smtp://localhost:25', 'smtp://[::1]:25'])
      expect(parseSmtpUrl(here).requireTLS).toBe(false)
    expect(parseSmtpUrl('smtp://127.0.0.1.example.com').requireTLS).toBe(true)
    expect(new Undeliverable('x')).toBeInstanceOf(Error)
  })
})
