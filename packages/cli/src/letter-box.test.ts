import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Layout, layoutOf } from '@seaworthy/ops'
import { SMTPServer } from 'smtp-server'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { letterBox } from './letter-box.ts'

const letter = { subject: 'deploy of r2 failed', paragraphs: ['It does not answer.'] }
const said: string[] = []
const received: { to: string[]; text: string }[] = []
let layout: Layout
let server: SMTPServer
let port: number

beforeEach(async () => {
  layout = layoutOf(mkdtempSync(join(tmpdir(), 'letters-')))
  mkdirSync(layout.shared)
  said.length = received.length = 0
  server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
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
  port = (server.server.address() as { port: number }).port
})
afterEach(async () => {
  await new Promise<void>((resolve) => server.close(() => resolve()))
  rmSync(layout.root, { recursive: true })
})

const openWith = (...lines: readonly string[]) => {
  writeFileSync(layout.environment, lines.join('\n'))
  return letterBox(layout, (text) => void said.push(text))
}

describe('letters of a host about its deploys', () => {
  it('arrive at NOTIFY_EMAIL by the mail server of the host', async () => {
    const deliver = openWith(
      `SMTP_URL=smtp://127.0.0.1:${port}`,
      'MAIL_FROM=mail@app.test',
      'NOTIFY_EMAIL=Operators <ops@app.test>',
    )
    await deliver?.(letter)
    expect(received).toMatchObject([
      { to: ['ops@app.test'], text: expect.stringMatching(/Subject: deploy of r2 failed[\s\S]*It does not answer\./) },
    ])
  })

  it('are none where nobody is to be told', () => {
    expect(openWith(`SMTP_URL=smtp://127.0.0.1:${port}`, 'MAIL_FROM=mail@app.test')).toBeUndefined()
    expect(said).toEqual([])
  })

  it('are none where they cannot be sent, which is said', () => {
    expect(openWith('NOTIFY_EMAIL=ops@app.test')).toBeUndefined()
    expect(said).toEqual(['nobody will be told by mail: SMTP_URL is needed with NOTIFY_EMAIL'])
  })
})
