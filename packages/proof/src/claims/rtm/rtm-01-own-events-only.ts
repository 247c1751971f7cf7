import { atLeast, defineClaim, exactly } from '../../claim.ts'
import { type LiveOptions, type LiveSocket, openLive } from '../../rig/live.ts'
import type { Person } from '../../rig/person.ts'
import { jpegPhoto, startRun, untilIdle, uploadPhoto } from '../../rig/photo.ts'
import type { Rig } from '../../rig/rig.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const CHANNEL = 'platform.jobs'

export const claim = defineClaim({
  id: 'RTM-01',
  says: 'Live events reach only people of their own account: no foreign channel opens, and nobody is let in without a session, with an ended one, or from a foreign site',
  answers: ['R1', 'R2', 'ASVS 4.4.2', 'ASVS 4.4.3', 'ASVS 8.2.2'],
  witness: 'socket.io-client',
  tier: 'full',
  seconds: 8,
  limits: {
    'connections let in that must not be': exactly(0, 'connections'),
    'events heard by others': exactly(0, 'events'),
    'foreign channels opened': exactly(0, 'channels'),
    'sockets that outlived their session': exactly(0, 'sockets'),
    'events heard by their owner': atLeast(3, 'events'),
  },
  experiment: async (rig) => {
    const { url, newcomer } = await rig.service()
    const [owner, stranger, leaver] = [await newcomer(), await newcomer(), await newcomer()]
    const leaving = await open(rig, url, { token: leaver.token })
    await leaving.subscribe({ channel: CHANNEL })
    await leaver.fetch('/api/identity/sign-out', { method: 'POST' })
    const closed = await until('the socket of the ended session is closed', () => !leaving.isOpen(), 3_000).catch(
      () => false,
    )
    const intruders = await Promise.all(intrusions(owner, leaver).map((options) => open(rig, url, options)))
    const own = await open(rig, url, { token: owner.token })
    const nosy = await open(rig, url, { token: stranger.token })
    const allowed = [await own.subscribe({ channel: CHANNEL }), await nosy.subscribe({ channel: CHANNEL })]
    const tried = foreignChannels(owner)
    const opened = []
    for (const request of tried) if (await nosy.subscribe(request)) opened.push(JSON.stringify(request))
    for (const socket of [leaving, ...intruders]) if (socket.isOpen()) await socket.subscribe({ channel: CHANNEL })
    await runEffect(owner)
    await until('the owner hears the end', () => own.heard.some(({ payload }) => payload.state === 'done')).catch(
      () => false,
    )
    const others = [nosy, leaving, ...intruders].flatMap(({ heard }) => heard)
    return {
      measured: {
        'connections let in that must not be': intruders.filter(({ outcome }) => outcome === 'open').length,
        'events heard by others': others.length,
        'foreign channels opened': opened.length,
        'sockets that outlived their session': closed ? 0 : 1,
        'events heard by their owner': own.heard.length,
      },
      met: {
        'the owner and the stranger had opened their own channels': allowed.every(Boolean) && nosy.isOpen(),
        'ten ways in and ten channels were tried': intruders.length >= 10 && tried.length >= 10,
      },
      evidence: [
        ...new Set(intruders.map(({ outcome }) => outcome)),
        ...opened,
        ...others.map((event) => JSON.stringify(event)),
      ],
    }
  },
  sabotages: [
    patch(
      'channels are of everybody',
      'packages/platform/src/realtime/drivers/socket-io.ts',
      'const roomOf = (channel: string, accountId: string): string =>',
      'const roomOf = (channel: string, accountId: string): string => accountId ? channel :',
    ),
    patch(
      'pages of every site may connect',
      'packages/platform/src/realtime/drivers/socket-io.ts',
      'settings.allowedOrigin(request.headers.origin, request.headers.host)',
      'true',
    ),
    patch(
      'sockets stay when the session ends',
      'packages/platform/src/boot/web-process.ts',
      'identity.onSessionChanged(sockets.endSession)',
      'identity.onSessionChanged(() => undefined)',
    ),
  ],
})

async function open(rig: Rig, url: string, options: LiveOptions): Promise<LiveSocket> {
  const socket = await openLive(url, options)
  rig.defer(() => socket.close())
  return socket
}

function intrusions({ token, cookie }: Person, ended: Person): LiveOptions[] {
  const sites = ['https://evil.example', 'null', 'http://127.0.0.1.evil.example', 'https://localhost', 'file://']
  const tokens = [undefined, '', 'x', null, { token }, [token], ended.token, cookie.replace(/^[^=]*=/, ''), `${token}x`]
  return [
    ...tokens.map((wrong): LiveOptions => ({ token: wrong })),
    ...sites.map((origin): LiveOptions => ({ token, origin })),
    { token, transports: ['polling'] },
  ]
}

/** Names of somebody else's channel, and requests that could be taken for them. */
function foreignChannels({ accountId, userId }: Person): unknown[] {
  const names = [
    `${CHANNEL}:${accountId}`,
    `channel:${CHANNEL}:${accountId}`,
    `account:${accountId}`,
    `session:${accountId}`,
    accountId,
    userId,
    '*',
    'platform.*',
    'platform.secrets',
    '__proto__',
    'constructor',
    '',
  ]
  return [
    ...names.map((channel) => ({ channel })),
    { channel: [CHANNEL] },
    { channel: { name: CHANNEL } },
    null,
    'x',
    { accountId },
  ]
}

async function runEffect(owner: Person): Promise<void> {
  const run = await startRun(owner, await uploadPhoto(owner, await jpegPhoto(64, 48)))
  if (run.status !== 202) throw new Error(`the effect was not started: ${run.status}`)
  await untilIdle(owner)
}
