import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { atLeast, atMost, defineClaim } from '../../claim.ts'
import { applyLoad } from '../../rig/load.ts'
import type { Rig } from '../../rig/rig.ts'
import { sendSlowClients, watchUnread } from '../../rig/slow-clients.ts'
import { quantile } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

/** Of each kind: 510 together. */
const CONNECTIONS = 170
const SECONDS = 28
const PER_SECOND = 20
/** Each asks for eight large files at once: more than the kernel takes from us. */
const READERS_PER_SECOND = 20

export const claim = defineClaim({
  id: 'NET-08',
  says: '510 clients that send headers or bodies or take large answers as slowly as they can are cut within 15 seconds, and nobody else notices',
  answers: ['H3', 'H17', 'ASVS 15.2.2'],
  witness: 'slowhttptest, and the queues of the kernel',
  needs: ['slowhttptest'],
  tier: 'full',
  seconds: 34,
  alone: true,
  limits: {
    'slow headers, last one cut': atMost(15, 's'),
    'slow bodies, last one cut': atMost(15, 's'),
    'slow readers, last one cut': atMost(15, 's'),
    'health meanwhile, 99th percentile': atMost(300, 'ms'),
    'health meanwhile, good answers': atLeast(100, '%'),
  },
  experiment: async (rig) => {
    const stack = await rig.start()
    const asset = largestScript(rig)
    const attack = (name: string, perSecond: number, args: readonly string[]) =>
      sendSlowClients(rig, { name, connections: CONNECTIONS, perSecond, seconds: SECONDS, args })
    const unread = watchUnread(stack.port, SECONDS)
    const load = applyLoad({
      request: () => ({ url: `${stack.url}/health` }),
      perSecond: PER_SECOND,
      seconds: 20,
      timeoutMs: 5_000,
    })
    const [headers, bodies, readers] = await Promise.all([
      attack('headers', CONNECTIONS, ['-H', '-i', '4', '-x', '24', '-t', 'GET', '-u', `${stack.url}/`]),
      attack('bodies', CONNECTIONS, [
        ...['-B', '-i', '4', '-x', '10', '-s', '8192', '-t', 'POST', '-f', 'application/json'],
        ...['-u', `${stack.url}/api/identity/sign-in`],
      ]),
      attack('readers', READERS_PER_SECOND, [
        ...['-X', '-n', '5', '-w', '10', '-y', '20', '-z', '32', '-k', '8', '-t', 'GET'],
        ...['-u', `${stack.url}${asset}`],
      ]),
    ])
    const { samples } = await load
    const { peak, goneSeconds } = await unread
    const good = samples.filter(({ ok }) => ok)
    return {
      measured: {
        'slow headers, last one cut': headers.cutSeconds,
        'slow bodies, last one cut': bodies.cutSeconds,
        'slow readers, last one cut': goneSeconds,
        'health meanwhile, 99th percentile': quantile(
          good.map(({ ms }) => ms),
          0.99,
        ),
        'health meanwhile, good answers': (good.length / samples.length) * 100,
      },
      met: {
        'nearly all of them were connected': [headers, bodies, readers].every(({ peak }) => peak >= CONNECTIONS * 0.9),
        'they held on for a while': [headers.cutSeconds, bodies.cutSeconds, goneSeconds].every(
          (seconds) => seconds >= 5,
        ),
        'nearly all readers left much unread': peak >= CONNECTIONS * 0.9,
      },
      run: { samples, marks: [{ atMs: 0, label: 'slow clients' }] },
      evidence: Object.entries({ headers, bodies, readers }).map(([name, { peak, cutSeconds, end }]) =>
        [name, `${peak} connected`, `${cutSeconds} s`, end].join(', '),
      ),
    }
  },
  sabotages: [
    patch(
      'headers may take a minute',
      'packages/platform/src/http/bounds.ts',
      'headersMs: 10 * SECOND',
      'headersMs: 60 * SECOND',
    ),
    patch(
      'a body may take a minute',
      'packages/platform/src/http/stages/receive-body.ts',
      'const JSON_MS = 10 * SECOND',
      'const JSON_MS = 60 * SECOND',
    ),
    patch(
      'slow readers are closed, and what they did not read stays in the kernel',
      'packages/platform/src/http/slow-readers.ts',
      'below.resetAndDestroy()',
      'below.destroy()',
    ),
    patch(
      'slow readers are left alone',
      'packages/platform/src/http/slow-readers.ts',
      'return reader.slowChecks >= SLOW_CHECKS_MAX',
      'return reader.slowChecks >= SLOW_CHECKS_MAX && false',
    ),
  ],
})

function largestScript(rig: Rig): string {
  const folder = join(rig.product, 'web', 'dist', 'assets')
  const bytes = (name: string): number => statSync(join(folder, name)).size
  const scripts = readdirSync(folder).filter((name) => name.endsWith('.js'))
  return `/assets/${scripts.reduce((largest, name) => (bytes(name) > bytes(largest) ? name : largest))}`
}
