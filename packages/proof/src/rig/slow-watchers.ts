import { startCrowd } from './crowd.ts'
import type { WatcherReport } from './crowd-member.ts'
import { heldByKernel } from './kernel-sockets.ts'
import { openLive } from './live.ts'
import type { Person } from './person.ts'
import type { Rig } from './rig.ts'
import type { Stack } from './stack.ts'
import { until } from './wait.ts'

export interface Frozen {
  /** Most that the service itself kept for one of them, in bytes: what was sent less what the kernel held. */
  readonly keptMax: number
  readonly uncut: number
  /** Of those that woke up again: who got neither all events nor the word that there were more. */
  readonly untold: number
  readonly evidence: string
}

const CHANNEL = 'platform.jobs'
const EVENT_BYTES = 131_072
const SENT_BYTES_MAX = 32 * 1_024 ** 2

/** Readers of one account that are frozen while events go on, until the service lets go of all of them; then they wake up. */
export async function freezeReaders(
  rig: Rig,
  { port, url, database }: Stack,
  { accountId, token }: Person,
  count: number,
): Promise<Frozen> {
  const [crowd, admin] = [startCrowd(rig), await database('admin')]
  await crowd.open({ port, idle: false, tokens: Array.from({ length: count }, () => token) })
  // One that reads, so that it is known when an event was sent.
  const awake = await openLive(url, { token })
  rig.defer(() => awake.close())
  await awake.subscribe({ channel: CHANNEL })
  process.kill(crowd.pid, 'SIGSTOP')
  const [ids, before] = [[] as number[], awake.heard.length]
  let [sent, keptMax, cutAt] = [0, 0, 0]
  let held = heldByKernel(port, crowd.from)
  for (; held.length > 0 && sent < SENT_BYTES_MAX; held = heldByKernel(port, crowd.from)) {
    const { rows } = await admin.query<{ id: string }>(
      `with event as (insert into seaworthy.events (account_id, channel, payload) values ($1, $2, jsonb_build_object('text', repeat('x', $3))) returning id)
       select id, pg_notify('seaworthy_events', '') from event`,
      [accountId, CHANNEL, EVENT_BYTES],
    )
    ids.push(...rows.map(({ id }) => Number(id)))
    await until('the event was sent', () => awake.heard.length === before + ids.length)
    sent += EVENT_BYTES
    const now = heldByKernel(port, crowd.from)
    if (now.length < count && cutAt === 0) cutAt = sent
    for (const bytes of now) keptMax = Math.max(keptMax, sent - bytes)
  }
  process.kill(crowd.pid, 'SIGCONT')
  const isTold = ({ heard, resets }: WatcherReport): boolean => {
    const got = new Set(heard.map(([id]) => id))
    return resets > 0 || ids.every((id) => got.has(id))
  }
  const untold = async () => (await crowd.report()).watchers.filter((watcher) => !isTold(watcher)).length
  await until('they know what they missed', async () => (await untold()) === 0, 20_000).catch(() => undefined)
  const { watchers } = await crowd.report()
  return {
    keptMax,
    uncut: held.length,
    untold: await untold(),
    evidence: `${count} readers stood still; the first was cut after ${cutAt} bytes, the last by ${sent}; ${watchers.filter(({ resets }) => resets > 0).length} were told to read anew`,
  }
}
