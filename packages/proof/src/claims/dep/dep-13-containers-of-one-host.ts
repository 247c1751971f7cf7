import { readdirSync, readFileSync } from 'node:fs'
import { atLeast, defineClaim, exactly } from '../../claim.ts'
import { type Arrivals, startArrivals } from '../../rig/arrivals.ts'
import type { Badness } from '../../rig/bad-release.ts'
import { confinementOf, type ImageHost, imageHostPrograms, openImageHost } from '../../rig/containers/image-host.ts'
import { type Person, signUp } from '../../rig/person.ts'
import { slowUpload } from '../../rig/slow-upload.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const PER_SECOND = 40
const ANSWER_MS = 30_000
const UPLOAD_MS = 3_000
const DEPLOY_MS = 240_000
const patient = { RATE_LIMIT_MAX: '1000000', UPLOAD_RATE_LIMIT_MAX: '1000000', SHUTDOWN_TIMEOUT: '20s' }
/** The journey sees that the second fails; the first never comes so far. */
const badnesses = ['crashes at its start', 'answers 500'] as const satisfies readonly Badness[]

export const claim = defineClaim({
  id: 'DEP-13',
  says: 'On one host whose releases are containers, a deploy and a rollback lose no request and no upload under way, an image that crashes or answers 500 never takes traffic, and each container is confined as those of the compose file, with no secret in a list of processes',
  answers: ['T6', 'V5', 'V6', 'X1'],
  witness: 'nginx with retries off, the links that it follows, the kernel’s own account of each process',
  tier: 'soak',
  seconds: 150,
  alone: true,
  needs: [...imageHostPrograms],
  limits: {
    'requests that failed': exactly(0, 'requests'),
    'uploads that failed': exactly(0, 'uploads'),
    'bad images that took traffic': exactly(0, 'images'),
    'freedoms that a container has': exactly(0, 'freedoms'),
    'processes that show a secret': exactly(0, 'processes'),
    'requests answered': atLeast(500, 'requests'),
  },
  experiment: async (rig) => {
    const host = await openImageHost(rig, patient)
    const [next, ...bad] = [
      await host.vary('next'),
      ...(await inOrder(badnesses, (badness) => host.vary(badness.replaceAll(' ', '-'), badness))),
    ]
    await deploy(host, host.good)
    const person = await signUp(host.url)
    const load = startArrivals(PER_SECOND, () => isAnswered(person))
    const uploads = startArrivals(1, () => slowUpload(person, UPLOAD_MS))
    rig.defer(() => Promise.all([load.stop(), uploads.stop()]))
    const good = await deploy(host, next)
    const refused = await inOrder(bad, (image) => deployBad(host, image))
    const free = (await host.containers()).flatMap(({ pid }) => confinementOf(pid))
    const showing = processesShowing(secretsOf(host))
    const back = await timed(load, () => host.command(host.tools, 'rollback', '--yes', '--ready', '3m'))
    await Promise.all([load.stop(), uploads.stop()])
    return {
      measured: {
        'requests that failed': failed(load),
        'uploads that failed': failed(uploads),
        'bad images that took traffic': refused.filter(({ served }) => served).length,
        'freedoms that a container has': free.length,
        'processes that show a secret': showing.length,
        'requests answered': load.samples.length,
      },
      met: {
        'each bad image was refused': refused.every(({ why }) => why !== ''),
        'the rollback was done': back.value.code === 0,
        'uploads were under way': uploads.samples.length > 10,
        'one container serves': (await host.containers()).length === 1,
      },
      evidence: [
        `deploy ${Math.round(good.ms)} ms, rollback ${Math.round(back.ms)} ms, ${load.samples.length} requests, ${uploads.samples.length} uploads`,
        ...refused.map(({ why }) => why.replaceAll('\n', ' ').slice(0, 300)),
        ...free,
        ...showing,
      ],
    }
  },
  sabotages: [
    patch(
      'the container before is killed at once',
      'packages/ops/src/procedures/host/drivers/container.ts',
      'String(Math.ceil(deadlineMs / SECOND))',
      "(void [deadlineMs, SECOND], '0')",
    ),
    patch(
      'nobody uses the release before people do',
      'packages/ops/src/procedures/host/deploy.ts',
      'if (settings.smoke)',
      'if (settings.smoke && settings.keep < 0)',
    ),
    patch(
      'capabilities are kept',
      'packages/ops/src/procedures/host/containers/words.ts',
      "hardening.dropped.flatMap((name) => ['--cap-drop', name])",
      "hardening.dropped.flatMap(() => ['--cap-drop', 'MKNOD'])",
    ),
  ],
})

const quick = ['--yes', '--ready', '3m', '--bake', '2s']

async function deploy(host: ImageHost, image: string): Promise<{ readonly ms: number }> {
  const began = performance.now()
  const { code, stderr } = await host.command(host.tools, 'deploy', image, ...quick)
  if (code !== 0) throw new Error(`the deploy of ${image} failed: ${stderr.slice(-1_200)}`)
  return { ms: performance.now() - began }
}

interface Refused {
  /** A link led to it at some moment. */
  readonly served: boolean
  readonly why: string
}

async function deployBad(host: ImageHost, image: string): Promise<Refused> {
  const before = host.state().serving ?? ''
  const command = host.begin(host.tools, 'deploy', image, ...quick)
  let served = false
  const look = (): boolean => {
    served ||= host.slots().some((release) => release !== before)
    return command.exit() !== undefined
  }
  await until('the deploy has ended', look, DEPLOY_MS)
  const { last } = host.state()
  return { served: served || host.state().serving !== before, why: last?.outcome === 'failed' ? (last.why ?? '') : '' }
}

async function isAnswered(person: Person): Promise<boolean> {
  const response = await person.fetch('/api/identity/me', { signal: AbortSignal.timeout(ANSWER_MS) })
  await response.arrayBuffer()
  return response.status === 200
}

const failed = ({ samples }: Arrivals): number => samples.filter(({ ok }) => !ok).length

async function timed<T>(
  { now }: Arrivals,
  work: () => Promise<T>,
): Promise<{ readonly value: T; readonly ms: number }> {
  const began = now()
  return { value: await work(), ms: now() - began }
}

const secretsOf = ({ root }: ImageHost): readonly string[] =>
  [...readFileSync(`${root}/shared/env`, 'utf8').matchAll(/_(?:SECRET|KEY)=(\S+)/g)].map(([, value = '']) => value)

/** Programs and words of all processes of this machine, as `ps` shows them. */
const processesShowing = (secrets: readonly string[]): readonly string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        return secrets.some((secret) => words.includes(secret))
      } catch {
        return false
      }
    })

async function inOrder<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const item of items) results.push(await work(item))
  return results
}
