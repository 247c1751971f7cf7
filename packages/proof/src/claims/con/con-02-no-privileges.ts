import { atMost, defineClaim, exactly } from '../../claim.ts'
import {
  allUp,
  type Composed,
  type Container,
  composeProduction,
  composePrograms,
} from '../../rig/containers/composed.ts'
import { confinementOf, outsideOfData, writesOf } from '../../rig/containers/confinement.ts'
import { podman } from '../../rig/containers/engine.ts'
import { statusOf } from '../../rig/stack.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const START_MS = 3_000
const container = 'packages/ops/src/description/container.ts'

export const claim = defineClaim({
  id: 'CON-02',
  says: 'Every container of the production file runs as a number that is not root, without a capability or the hope of one, behind a filter of system calls, on a file system that it cannot change but for its data and its scratch space; a web container is ready 3 seconds after it starts',
  answers: ['X1', 'ASVS 13.2.2', 'ASVS 15.2.5'],
  witness: 'the kernel’s own account of each process, writes attempted inside',
  needs: [...composePrograms],
  tier: 'soak',
  seconds: 200,
  alone: true,
  limits: {
    'containers that run as root': exactly(0, 'containers'),
    'containers with a capability that they could use': exactly(0, 'containers'),
    'containers that could gain privileges': exactly(0, 'containers'),
    'containers without a filter of system calls': exactly(0, 'containers'),
    'containers that could change their image': exactly(0, 'containers'),
    'writes outside data and scratch': exactly(0, 'writes'),
    'web container from start to ready': atMost(START_MS, 'ms'),
  },
  experiment: async (rig) => {
    const composed = await composeProduction(rig)
    const running = await until('all are up', () => allUp(composed), 240_000)
    const states = running.map((container) => ({ ...container, ...confinementOf(container.pid) }))
    const web = await composed.container('web')
    const written = await writesOf(web.id, outsideOfData)
    const inside = await writesOf(web.id, ['/data', '/tmp'])
    const times: number[] = []
    for (let turn = 0; turn < 3; turn++) times.push(await startMs(composed, web))
    const count = (is: (state: (typeof states)[number]) => boolean): number => states.filter(is).length
    return {
      measured: {
        'containers that run as root': count(({ uids }) => uids.includes(0)),
        'containers with a capability that they could use': count(({ capabilities }) => capabilities !== 0n),
        'containers that could gain privileges': count(({ noNewPrivileges }) => !noNewPrivileges),
        'containers without a filter of system calls': count(({ seccomp }) => seccomp !== 2),
        'containers that could change their image': count(({ readOnly }) => !readOnly),
        'writes outside data and scratch': written.length,
        'web container from start to ready': Math.min(...times),
      },
      met: {
        'all services run': new Set(running.map(({ service }) => service)).size === 5,
        'three web containers run': running.filter(({ service }) => service === 'web').length === 3,
        'data and scratch space were written': inside.length === 2,
      },
      evidence: [
        ...states.map(({ service, uids, seccomp }) => `${service}: runs as ${uids.join(', ')}, seccomp ${seccomp}`),
        `ready after ${times.map((ms) => `${Math.round(ms)} ms`).join(', ')}`,
        ...written,
      ],
    }
  },
  sabotages: [
    patch('processes run as root', container, 'user: 10_001', 'user: 0'),
    patch('capabilities are kept', container, "dropped: ['ALL']", "dropped: ['MKNOD']"),
    patch('privileges may be gained', container, "['no-new-privileges:true']", '[]'),
    patch(
      'system calls are not filtered',
      container,
      "['no-new-privileges:true']",
      "['no-new-privileges:true', 'seccomp:unconfined']",
    ),
    patch('the file system may be written', container, 'readOnly: true', 'readOnly: false'),
  ],
})

/** Stops it and starts it, and asks it, with nothing else of the container’s share of the processor, until it is ready. */
async function startMs(composed: Composed, { id }: Container): Promise<number> {
  await podman('stop', '--time', '10', id)
  const started = performance.now()
  await podman('start', id)
  const host = (await composed.containers('web')).find((container) => container.id === id)?.ip[0]
  await until(
    'the container is ready',
    async () => (await statusOf(`http://${host}:3000/health/ready`)) === 200,
    60_000,
  )
  return performance.now() - started
}
