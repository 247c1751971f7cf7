import { atLeast, atMost, defineClaim, exactly, type Sample } from '../../claim.ts'
import { startArrivals } from '../../rig/arrivals.ts'
import { type Host, openHost } from '../../rig/host.ts'
import { type HostLoad, openHostLoad } from '../../rig/host-load.ts'
import { startRenderedProxy } from '../../rig/host-nginx.ts'
import type { LiveSocket } from '../../rig/live.ts'
import { jpegPhoto } from '../../rig/photo.ts'
import { quantile, timed, until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const PER_SECOND = 200
const REQUESTS = 10_000
const NORMAL_MS = 12_000
const SOCKETS = 100
const PEOPLE = 10
const UPLOAD_MS = 3_000
const BACK_MS = 20_000

const patient = {
  RATE_LIMIT_MAX: '1000000',
  UPLOAD_RATE_LIMIT_MAX: '1000000',
  AUTH_RATE_LIMIT_MAX: '1000000',
  WEB_PROCESSES: '2',
  WORKER_PROCESSES: '0',
}

export const claim = defineClaim({
  id: 'DEP-01',
  says: 'Two rolling deploys and a rollback behind the rendered nginx, under 200 requests per second over kept connections, slow uploads and a hundred WebSockets, fail no request, every socket is back, and the slowest hundredth takes at most twice as long as without a deploy',
  answers: ['T6', 'V5', 'S1', 'S2'],
  witness: 'the rendered nginx with TLS and retries off, open-loop load',
  tier: 'soak',
  seconds: 100,
  alone: true,
  needs: ['nginx', 'openssl'],
  limits: {
    'requests that failed': exactly(0, 'requests'),
    'slow uploads that failed': exactly(0, 'uploads'),
    'sockets that did not come back': exactly(0, 'sockets'),
    'requests sent': atLeast(REQUESTS, 'requests'),
    'slowest hundredth, of what it is without a deploy': atMost(2, 'times'),
    'longest deploy of what is built': atMost(30_000, 'ms'),
  },
  experiment: async (rig) => {
    const host = await openHost(rig, patient, startRenderedProxy)
    const first = await host.command(host.checkout('first'), 'deploy', ...quick)
    if (first.code !== 0) throw new Error(`the first deploy failed: ${first.stderr.slice(-800)}`)
    const load = openHostLoad(host)
    const tokens = await Promise.all(Array.from({ length: PEOPLE }, () => load.signUp()))
    const sockets = await Promise.all(Array.from({ length: SOCKETS }, (_, i) => load.socket(tokens[i % PEOPLE] ?? '')))
    rig.defer(() => {
      for (const socket of sockets) socket.close()
    })
    const [token = ''] = tokens
    const statuses: Record<number, number> = {}
    const arrivals = startArrivals(PER_SECOND, async (i) => {
      const status = await (i % 4 ? load.get('/api/identity/me', token) : load.get('/'))
      statuses[status] = (statuses[status] ?? 0) + 1
      return status === 200
    })
    const uploads = keepUploading(load, token, await jpegPhoto())
    rig.defer(() => Promise.all([arrivals.stop(), uploads.stop()]))
    await until('it was watched without a deploy', () => arrivals.now() > NORMAL_MS, 2 * NORMAL_MS)
    const marks = [{ atMs: arrivals.now(), label: 'deploy' }]
    const [second, third] = [host.checkout('second'), host.checkout('third')]
    const moves = []
    for (const [checkout, ...args] of [
      [second, 'deploy', ...quick],
      [third, 'deploy', ...quick, '--keep-warm'],
      [third, 'rollback', '--yes'],
    ] as const) {
      moves.push(await timed(() => run(host, checkout, ...args)))
      marks.push({ atMs: arrivals.now(), label: `${args[0]} done` })
    }
    await until('enough was asked', () => arrivals.samples.length >= REQUESTS, 200_000)
    await Promise.all([arrivals.stop(), uploads.stop()])
    const open = await until('every socket is back', () => sockets.every((socket) => socket.isOpen()), BACK_MS).catch(
      () => false,
    )
    const { samples } = arrivals
    const [from, to] = [marks[0]?.atMs ?? 0, marks.at(-1)?.atMs ?? 0]
    const [normal, during] = [
      slowest(samples.filter(({ atMs }) => atMs < from)),
      slowest(samples.filter(({ atMs }) => atMs >= from && atMs < to)),
    ]
    return {
      measured: {
        'requests that failed': samples.filter(({ ok }) => !ok).length,
        'slow uploads that failed': uploads.statuses.filter((status) => status !== 201).length,
        'sockets that did not come back': open ? 0 : sockets.filter((socket) => !socket.isOpen()).length,
        'requests sent': samples.length,
        'slowest hundredth, of what it is without a deploy': during / normal,
        'longest deploy of what is built': Math.max(...moves.map(({ ms }) => ms)),
      },
      met: {
        'every socket was open before': sockets.every(isLetIn),
        'photos were uploaded meanwhile': uploads.statuses.length > 5,
        'traffic moved three times': new Set(moves.map(({ value }) => value)).size === 3,
      },
      run: { samples, marks },
      evidence: [
        `slowest hundredth ${normal.toFixed(1)} ms, meanwhile ${during.toFixed(1)} ms; answers ${JSON.stringify(statuses)}`,
        `uploads ${uploads.statuses.length}; moves ${moves.map(({ ms }) => Math.round(ms)).join(', ')} ms`,
      ],
    }
  },
  sabotages: [
    patch(
      'a web process ends at once when it is told to stop',
      'packages/platform/src/boot/web-process.ts',
      'void closeAll(server, front, closer, config)',
      'void Promise.resolve()',
    ),
    patch(
      'traffic moves to the next release before it is ready',
      'packages/ops/src/procedures/host/deploy.ts',
      'untilReady(host, id, settings.readyMs, settings.signal),',
      'serving ? Promise.resolve() : untilReady(host, id, settings.readyMs, settings.signal),',
    ),
  ],
})

const quick = ['--yes', '--no-smoke', '--ready', '3m', '--bake', '2s'] as const

const isLetIn = ({ outcome }: LiveSocket): boolean => outcome === 'open'

const slowest = (samples: readonly Sample[]): number =>
  quantile(
    samples.map(({ ms }) => ms),
    0.99,
  )

/** Which release serves afterwards, and from when on. Its outcome is judged by what people see. */
async function run(host: Host, checkout: string, ...args: readonly string[]): Promise<string> {
  const { stderr } = await host.command(checkout, ...args)
  const { serving, last } = host.state()
  return `${last?.target} ${last?.outcome} ${serving} ${stderr.length}`
}

function keepUploading(load: HostLoad, token: string, photo: Uint8Array) {
  const statuses: number[] = []
  let isOver = false
  const loop = (async () => {
    while (!isOver) statuses.push(await load.upload(token, photo, UPLOAD_MS))
  })()
  return {
    statuses,
    stop: () => {
      isOver = true
      return loop
    },
  }
}
