import { connect } from 'node:net'
import { atMost, defineClaim, exactly } from '../../claim.ts'
import { isAlive } from '../../rig/kept-process.ts'
import { openLive } from '../../rig/live.ts'
import { creditsOf, jpegPhoto, type Run, startRun, untilRunIs, uploadPhoto } from '../../rig/photo.ts'
import type { Stack } from '../../rig/stack.ts'
import { until } from '../../rig/wait.ts'
import { patch, wrongSettings } from '../../sabotage.ts'

/** How long the second halves are held back: longer than a stop that does not wait. */
const HELD_MS = 2_500

export const claim = defineClaim({
  id: 'DEP-02',
  says: 'A stop lets requests and uploads under way finish, tells open sockets, finishes or hands over jobs, leaves no process, and ends with 0',
  answers: ['H13', 'H14', 'ASVS 16.5.3'],
  witness: 'the real processes, raw sockets',
  tier: 'full',
  seconds: 14,
  limits: {
    'requests under way that failed': exactly(0, 'of 2'),
    'sockets that were not told': exactly(0, 'sockets'),
    'effects lost or paid twice': exactly(0, 'effects'),
    'exit code': exactly(0, ''),
    'time to stop': atMost(30_000, 'ms'),
    'processes left': exactly(0, 'processes'),
  },
  experiment: async (rig) => {
    const stack = await rig.start()
    const person = await stack.newcomer()
    const { id } = (await (
      await startRun(person, await uploadPhoto(person, await jpegPhoto(4_000, 3_000)), 'oil')
    ).json()) as Run
    const socket = await openLive(stack.url, { token: person.token })
    rig.defer(() => socket.close())
    await untilRunIs(person, id, 'running')
    const signIn = Buffer.from(JSON.stringify({ email: person.email, password: person.password }))
    const held = [
      hold(stack, '/api/identity/sign-in', 'content-type: application/json', signIn),
      hold(
        stack,
        '/api/cosnap/photos?name=held.jpg',
        `authorization: Bearer ${person.token}`,
        await jpegPhoto(1_200, 900),
      ),
    ]
    await Promise.all(held.map((request) => request.begun))
    const pids = (
      await Promise.all((['supervisor', 'web', 'worker', 'database'] as const).map((part) => stack.pids(part)))
    ).flat()
    const before = (await person.json<Run>(`/api/cosnap/runs/${id}`)).state
    const stoppedAt = performance.now()
    await stack.signal('supervisor', 'SIGTERM')
    const told = await until('the socket is told', () => !socket.isOpen(), HELD_MS).catch(() => false)
    await new Promise((resolve) => setTimeout(resolve, HELD_MS))
    const statuses = await Promise.all(held.map((request) => request.finish()))
    const exit = await stack.exited
    const left = pids.filter(isAlive)
    await stack.restart()
    const back = await stack.signIn(person)
    const state = (await untilRunIs(back, id, 'done').catch(() => undefined))?.state
    const credits = await creditsOf(back)
    return {
      measured: {
        'requests under way that failed': statuses.filter((status) => status !== 200 && status !== 201).length,
        'sockets that were not told': told ? 0 : 1,
        'effects lost or paid twice': state === 'done' && credits.held === 0 && credits.spent === 2 ? 0 : 1,
        'exit code': exit.code,
        'time to stop': exit.atMs - stoppedAt,
        'processes left': left.length,
      },
      met: {
        'the effect was being made': before === 'running',
        'the socket was open': socket.outcome === 'open',
        'there were four processes': pids.length >= 4,
      },
      evidence: [`answers ${statuses.join(', ')}; effect ${state}; ${JSON.stringify(credits)}`],
    }
  },
  sabotages: [
    patch(
      'a web process ends at once',
      'packages/platform/src/boot/web-process.ts',
      'void closeAll(server, front, closer, config)',
      'void Promise.resolve()',
    ),
    wrongSettings('a stop waits for one second only', { SHUTDOWN_TIMEOUT: '1s' }),
    patch(
      'sockets are not told',
      'packages/platform/src/boot/web-process.ts',
      "front.add('sockets', () => sockets.close())",
      "closer.add('sockets', () => sockets.close())",
    ),
  ],
})

/** Sends a request up to the middle of its body, and the rest when told to. */
function hold(stack: Stack, path: string, header: string, body: Uint8Array) {
  const socket = connect(stack.port, '127.0.0.1')
  let answer = ''
  socket.on('data', (chunk) => {
    answer += chunk.toString('latin1')
  })
  socket.on('error', () => undefined)
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  const half = Math.floor(body.length / 2)
  const head = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${stack.port}\r\n${header}\r\ncontent-length: ${body.length}\r\n\r\n`
  const begun = new Promise<void>((resolve) => {
    socket.write(head)
    socket.write(body.subarray(0, half), () => resolve())
  })
  const finish = async (): Promise<number> => {
    if (!socket.destroyed) socket.write(body.subarray(half))
    await Promise.race([ended, until('an answer', () => answer.includes('\r\n\r\n'))]).catch(() => undefined)
    socket.destroy()
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0)
  }
  return { begun, finish }
}
