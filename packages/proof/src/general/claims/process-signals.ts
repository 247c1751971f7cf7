import { connect, type Socket } from 'node:net'
import { until } from '../../rig/wait.ts'
import { defineGeneralClaim, type Found } from '../claim.ts'
import type { Finding } from '../finding.ts'
import { parseRoute } from '../route.ts'
import type { Running } from '../running.ts'
import { ask } from '../somebody.ts'

const mistakes = {
  'SIGTERM drops a request that is under way': [],
  'SIGUSR1 opens the debugger': [],
} as const

const NOTICE_MS = 1_000
const DEBUGGER_MS = 2_000

export const claim = defineGeneralClaim({
  id: 'GEN-26',
  says: 'SIGTERM lets a request under way end, and no signal opens a debugger',
  mistakes,
  answers: ['Z4', 'H15', 'ASVS 13.4.2'],
  needs: ['process', 'signIn', 'health'],
  find: async ({ config, withProcess }) => {
    const dropped = await withProcess({}, async (app) => {
      await app.ready()
      return termDuring(app, config.signIn ?? '', config.health ?? '')
    })
    const opened = await withProcess({}, async (app) => {
      await app.ready()
      return debuggerOf(app)
    })
    return { findings: [...dropped.findings, ...opened], met: dropped.met }
  },
})

/** Half a request, SIGTERM, the other half. That the first half arrived is known by the answer 100. */
async function termDuring(app: Running, line: string, health: string): Promise<Found<keyof typeof mistakes>> {
  const { method, path } = parseRoute(line)
  const body = '{"email":"nobody@example.com","password":"wrong password 1"}'
  const head = `${method} ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`
  const socket: Socket = connect(app.port, '127.0.0.1')
  let text = ''
  let closed = false
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
  })
  socket.on('error', () => undefined)
  socket.on('close', () => {
    closed = true
  })
  socket.write(`${head}content-length: ${body.length}\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n`)
  const began = await until('the first half arrives', () => text.includes(' 100 '), 5_000).catch(() => false)
  socket.write(body.slice(0, 20))
  await app.signal('SIGTERM')
  // It has noticed when it has ended or takes no one else in; one that goes on serving for a while is right too.
  const noticed = async () => app.exit() !== undefined || (await ask(app.url, health, { timeoutMs: 500 })).status === 0
  await until('the signal is noticed', noticed, NOTICE_MS).catch(() => undefined)
  socket.write(body.slice(20))
  await until('an answer or the end', () => closed || / [2-5]\d\d /.test(text), 5_000).catch(() => undefined)
  socket.destroy()
  const answered = /HTTP\/1\.1 [2-5]\d\d /.test(text)
  const finding: Finding<keyof typeof mistakes> = {
    mistake: 'SIGTERM drops a request that is under way',
    request: `${method} ${path}, SIGTERM in the middle of the body`,
    answer: text.trim() || 'none',
  }
  return { findings: answered ? [] : [finding], met: { 'a request was under way': began } }
}

async function debuggerOf(app: Running): Promise<Finding<keyof typeof mistakes>[]> {
  await app.signal('SIGUSR1')
  const line = /Debugger listening.*|Starting inspector.*/
  await until('a debugger opens', () => line.test(app.output()), DEBUGGER_MS).catch(() => undefined)
  const opened = line.exec(app.output())
  return opened ? [{ mistake: 'SIGUSR1 opens the debugger', request: 'SIGUSR1', answer: opened[0] }] : []
}
