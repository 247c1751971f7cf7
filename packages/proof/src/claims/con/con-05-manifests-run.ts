import { join } from 'node:path'
import { atLeast, defineClaim, exactly } from '../../claim.ts'
import { startArrivals } from '../../rig/arrivals.ts'
import { type Confinement, confinementOf, outsideOfData, writesOf } from '../../rig/containers/confinement.ts'
import { askDoor, isProbed, openDoor } from '../../rig/containers/door.ts'
import { tryPodman } from '../../rig/containers/engine.ts'
import { type PlayedPod, playDevelopment, playPrograms } from '../../rig/containers/played.ts'
import { PASSWORD } from '../../rig/person.ts'
import { jpegPhoto } from '../../rig/photo.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const HOST = 'development.app.example.com'
const PER_SECOND = 25
const REQUESTS = 500
const START_MS = 90_000
const target = 'packages/ops/src/targets/kubernetes'
const probes = ['startupProbe', 'readinessProbe', 'livenessProbe'] as const

export const claim = defineClaim({
  id: 'CON-05',
  says: 'The rendered manifests for Kubernetes run: the migration ends well, the pods of the development overlay answer their probes, serve people through the Service with an app used from end to end, and may do no more than the restricted profile allows. Played by podman, which has no cluster: Ingress, NetworkPolicy, autoscaler and disruption budgets are not in force there',
  answers: ['X3', 'X4', 'H13', 'ASVS 13.2.2'],
  witness: 'kubectl kustomize, podman kube play with PostgreSQL and Redis, the kernel’s own account of each process',
  needs: [...playPrograms],
  tier: 'soak',
  seconds: 120,
  limits: {
    'migrations that failed': exactly(0, 'migrations'),
    'probes that a pod did not pass': exactly(0, 'probes'),
    'steps of people that failed': exactly(0, 'steps'),
    'requests that failed': exactly(0, 'requests'),
    'requests sent': atLeast(REQUESTS, 'requests'),
    'pods that may do more than the restricted profile allows': exactly(0, 'pods'),
    'writes outside data and scratch': exactly(0, 'writes'),
    'writes to scratch that were refused': exactly(0, 'writes'),
  },
  experiment: async (rig) => {
    const played = await playDevelopment(rig)
    const [web, worker] = ['web', 'worker'].map((name) => played.pods.find(({ component }) => component === name))
    if (!web || !worker) throw new Error('the overlay has no web or no worker pod')
    const unanswered = (await Promise.all([web, worker].map(failedProbes))).flat()
    // In the scratch space of the pod, so that the journey can be walked from inside.
    const door = join(await played.scratchOf(web), 'door')
    await openDoor(rig, played, door)
    const failed = await useApp(door, web)
    const requests = await askMany(door)
    const states = [web, worker].map(({ component, pid }) => ({ component, found: confinementOfRunning(pid) }))
    const unrestricted = states.filter(({ found }) => !found || !isRestricted(found))
    const reached = await writesOf(web.id, [...outsideOfData, '/tmp']).catch((): readonly string[] => [])
    const written = reached.filter((folder) => folder !== '/tmp')
    return {
      measured: {
        'migrations that failed': played.migration === 0 ? 0 : 1,
        'probes that a pod did not pass': unanswered.length,
        'steps of people that failed': failed.length,
        'requests that failed': requests.filter((status) => status !== 200).length,
        'requests sent': requests.length,
        'pods that may do more than the restricted profile allows': unrestricted.length,
        'writes outside data and scratch': written.length,
        'writes to scratch that were refused': reached.includes('/tmp') ? 0 : 1,
      },
      met: {
        'pods for people and for jobs ran': states.length === 2,
      },
      evidence: [
        ...states.map(
          ({ component, found }) => `${component}: runs as ${found?.uids.join(', ')}, seccomp ${found?.seccomp}`,
        ),
        ...[...unanswered, ...failed, ...written],
      ],
    }
  },
  sabotages: [
    patch(
      'the Service leads to the port of those who run it',
      `${target}/doors.ts`,
      "targetPort: 'http', protocol",
      "targetPort: 'admin', protocol",
    ),
    patch(
      'the Service finds no pod',
      `${target}/doors.ts`,
      "selector: selectorOf(description, 'web')",
      "selector: selectorOf(description, 'migrate')",
    ),
    patch(
      'a worker is asked where it does not listen',
      `${target}/pods.ts`,
      "const port = component === 'web' ? 'http' : 'admin'",
      "const port = 'http'",
    ),
    patch(
      'the migration has the login of everybody',
      `${target}/settings.ts`,
      "role === 'migrate' && name === 'DATABASE_URL' ? OWNER : SECRETS",
      'SECRETS',
    ),
    patch('pods run as root', `${target}/pods.ts`, 'const USER = container.user', 'const USER = 0'),
    patch(
      'pods may change their image',
      `${target}/pods.ts`,
      'readOnlyRootFilesystem: true',
      'readOnlyRootFilesystem: false',
    ),
  ],
})

/** One that has ended is restricted by nobody. */
function confinementOfRunning(pid: number): Confinement | undefined {
  try {
    return confinementOf(pid)
  } catch {
    return undefined
  }
}

const isRestricted = ({ uids, capabilities, noNewPrivileges, seccomp, readOnly }: Confinement): boolean =>
  !uids.includes(0) && capabilities === 0n && noNewPrivileges && seccomp === 2 && readOnly

/** What the kubelet would ask, until it is answered: first whether it has started, as it does. */
async function failedProbes(pod: PlayedPod): Promise<readonly string[]> {
  const failed: string[] = []
  for (const probe of probes)
    await until(`${pod.component} passes its ${probe}`, () => isProbed(pod, probe), failed.length ? 0 : START_MS).catch(
      (error: unknown) => failed.push(String(error)),
    )
  return failed
}

/** Signs up, uploads, and walks the journeys of the product from inside the pod. The steps that failed. */
async function useApp(door: string, web: PlayedPod): Promise<readonly string[]> {
  const failed: string[] = []
  const expect = (what: string, is: boolean, found: string): void => {
    if (!is) failed.push(`${what}: ${found.slice(0, 300)}`)
  }
  const ready = await askDoor(door, HOST, '/health/ready')
  expect('ready', ready.status === 200, `${ready.status} ${ready.body}`)
  const json = { email: `somebody-${Date.now()}@example.com`, password: PASSWORD }
  const known = await askDoor(door, HOST, '/api/identity/sign-up', { json })
  expect('sign up', known.status === 201, `${known.status} ${known.body}`)
  const token = /"accessToken":"([^"]+)"/.exec(known.body)?.[1] ?? ''
  const photo = await askDoor(door, HOST, '/api/cosnap/photos?name=boat.jpg', { token, bytes: await jpegPhoto() })
  expect('upload', photo.status === 201, `${photo.status} ${photo.body}`)
  const journey = ['node', 'packages/cli/bin/seaworthy.js', 'journey', '--socket', '/tmp/door']
  const walked = await tryPodman('exec', web.id, ...journey)
  expect('journey', walked.code === 0 && walked.stdout.includes('effect'), walked.stderr || walked.stdout)
  return failed
}

/** The front page and the list of effects, from many networks. The statuses. */
async function askMany(door: string): Promise<readonly number[]> {
  const statuses: number[] = []
  const arrivals = startArrivals(PER_SECOND, async (i) => {
    const { status } = await askDoor(door, HOST, i % 2 ? '/api/cosnap/effects' : '/', {
      address: `198.51.100.${i % 200}`,
    })
    statuses.push(status)
    return status === 200
  })
  await until('enough was asked', () => arrivals.samples.length >= REQUESTS, 120_000)
  await arrivals.stop()
  return statuses
}
