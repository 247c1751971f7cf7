import { atMost, defineClaim, exactly } from '../../claim.ts'
import { openLive } from '../../rig/live.ts'
import { jpegPhoto, startRun, uploadPhoto } from '../../rig/photo.ts'
import { timed, until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const PEOPLE = 10
const SOCKETS = 10
const CHANNEL = 'platform.jobs'

export const claim = defineClaim({
  id: 'RTM-03',
  says: 'A restart tells every open socket at once; all are back within ten seconds of it, and live events flow again',
  answers: ['R4', 'H13'],
  witness: 'a hundred sockets of socket.io-client',
  tier: 'full',
  seconds: 14,
  alone: true,
  limits: {
    'time until all sockets know': atMost(1_000, 'ms'),
    'time until all sockets are back': atMost(10_000, 'ms'),
    'sockets that never came back': exactly(0, 'sockets'),
    'time until an event is heard again': atMost(5_000, 'ms'),
  },
  experiment: async (rig) => {
    const stack = await rig.start({ environment: { SHUTDOWN_TIMEOUT: '3s' } })
    const people = await Promise.all(Array.from({ length: PEOPLE }, () => stack.newcomer()))
    const [owner] = people
    if (!owner) throw new Error('nobody signed up')
    const photo = await uploadPhoto(owner, await jpegPhoto(64, 48))
    const sockets = await Promise.all(
      people.flatMap(({ token }) =>
        Array.from({ length: SOCKETS }, () => openLive(stack.url, { token, reconnects: true })),
      ),
    )
    rig.defer(() => {
      for (const socket of sockets) socket.close()
    })
    const opened = sockets.filter((socket) => socket.isOpen()).length
    const [before = 0] = await stack.pids('web')
    process.kill(before, 'SIGTERM')
    const told = await timed(() => until('all sockets know', () => sockets.every((socket) => !socket.isOpen())))
    const back = await timed(() =>
      until('all sockets are back', () => sockets.every((socket) => socket.isOpen()), 20_000).catch(() => undefined),
    )
    const [own] = sockets
    const subscribed = (await own?.subscribe({ channel: CHANNEL })) ?? false
    const run = await startRun(owner, photo)
    const heard = await timed(() =>
      until('an event is heard', () => own?.heard.some(({ channel }) => channel === CHANNEL)),
    )
    const [after = 0] = await stack.pids('web')
    return {
      measured: {
        'time until all sockets know': told.ms,
        'time until all sockets are back': back.ms,
        'sockets that never came back': sockets.filter((socket) => !socket.isOpen()).length,
        'time until an event is heard again': heard.ms,
      },
      met: {
        'a hundred sockets were open': opened === PEOPLE * SOCKETS,
        'another process serves them': before !== after && after !== 0,
        'something happened that could be heard': subscribed && run.status === 202,
      },
      evidence: [`${opened} sockets; process ${before} became ${after}`],
    }
  },
  sabotages: [
    patch(
      'a process that ended is started again too late',
      'packages/platform/src/boot/child.ts',
      'const RESTART_BASE_MS = 100',
      'const RESTART_BASE_MS = 12_000',
    ),
    patch(
      'sockets are left alone until the connections are cut',
      'packages/platform/src/boot/web-process.ts',
      "front.add('sockets', () => sockets.close())",
      "closer.add('sockets', () => sockets.close())",
    ),
  ],
})
