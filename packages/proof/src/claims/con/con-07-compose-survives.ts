import { atMost, defineClaim, exactly } from '../../claim.ts'
import { allUp, type Composed, composeProduction, composePrograms } from '../../rig/containers/composed.ts'
import { type Guest, signInAt, signUpAt } from '../../rig/containers/visit.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const BACK_MS = 30_000
const services = ['redis', 'worker', 'web', 'proxy', 'database'] as const

export const claim = defineClaim({
  id: 'CON-07',
  says: 'The production file comes up in order from nothing; whichever of its services is killed is back within 30 seconds by itself, people are known again, and what they stored outlives the containers',
  answers: ['X2', 'R9', 'H14'],
  witness: 'docker-compose on podman, processes killed by the kernel, people who sign in through nginx',
  needs: [...composePrograms],
  tier: 'soak',
  seconds: 200,
  alone: true,
  limits: {
    'longest time until a killed service is back': atMost(BACK_MS, 'ms'),
    'services that stayed away': exactly(0, 'services'),
    'people who were forgotten': exactly(0, 'people'),
  },
  experiment: async (rig) => {
    const composed = await composeProduction(rig)
    await until('all are up', () => allUp(composed), 240_000)
    const guests = [await signUpAt(composed, `first-${rig.seed}@example.com`)]
    const times: { service: string; ms: number; last: string }[] = []
    for (const service of services) {
      times.push({ service, ...(await kill(composed, service, guests[0] as Guest)) })
      // Who comes while it is as it was before is kept as well.
      if (service !== 'worker' && times.every(({ ms }) => ms <= BACK_MS))
        guests.push(await signUpAt(composed, `${service}-${rig.seed}@example.com`))
    }
    await replaceDatabase(composed)
    const forgotten = await countForgotten(composed, guests)
    return {
      measured: {
        'longest time until a killed service is back': Math.max(...times.map(({ ms }) => ms)),
        'services that stayed away': times.filter(({ ms }) => ms > BACK_MS).length,
        'people who were forgotten': forgotten,
      },
      met: {
        'every service was killed': times.length === services.length,
        'people had signed up': guests.length >= 1,
      },
      evidence: times.map(({ service, ms, last }) => `${service}: back after ${Math.round(ms)} ms ${last}`.trim()),
    }
  },
  sabotages: [
    patch(
      'what ends stays away',
      'packages/ops/src/targets/compose/production.ts',
      "const restart = 'unless-stopped'",
      "const restart = 'no'",
    ),
    patch(
      'the database keeps nothing',
      'packages/ops/src/targets/compose/neighbours.ts',
      "volumes: ['database:/var/lib/postgresql', ",
      "volumes: ['/var/lib/postgresql', ",
    ),
  ],
})

/** Kills it, and waits until another process of it runs and somebody is known to the service. */
async function kill(composed: Composed, service: string, guest: Guest): Promise<{ ms: number; last: string }> {
  const victim = await composed.container(service)
  const started = performance.now()
  process.kill(victim.pid, 'SIGKILL')
  let last = ''
  const isBack = async (): Promise<boolean> => {
    const now = (await composed.containers(service)).find(({ id }) => id === victim.id)
    last = `no other process: running ${now?.running}, health ${now?.health}`
    if (now?.running !== true || now.pid === victim.pid || now.health === 'unhealthy') return false
    const { status, body } = await signInAt(composed, guest)
    last = status === 200 ? '' : `${status} ${body.slice(0, 200)}`
    return status === 200
  }
  return until(`${service} is back`, isBack, BACK_MS + 1_000).then(
    () => ({ ms: performance.now() - started, last }),
    () => ({ ms: BACK_MS + 1_000, last }),
  )
}

/** As an update of its image does: the container goes with whatever it kept for itself, another one comes. */
async function replaceDatabase(composed: Composed): Promise<void> {
  await composed.compose('rm', '--stop', '--force', '-v', 'database')
  await composed.compose('up', '-d', '--no-deps', 'database')
}

/** Of the three web containers each finds the new database by itself: whoever is told to come again does. */
async function countForgotten(composed: Composed, guests: readonly Guest[]): Promise<number> {
  let forgotten = 0
  for (const guest of guests) {
    let status = 0
    const isAnswered = async (): Promise<boolean> => {
      status = (await signInAt(composed, guest)).status
      return status === 200 || status === 401
    }
    await until('somebody is answered', isAnswered, BACK_MS).catch(() => undefined)
    if (status !== 200) forgotten++
  }
  return forgotten
}
