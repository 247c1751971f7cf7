/**
 * The whole product on this machine: how soon it is up and how much memory it holds at idle; how long a 12-megapixel
 * photo takes to a finished effect with one worker; and 50 uploads at once by three accounts: memory, failures, and
 * whether the accounts take turns. Needs the build (`npm run build`).
 */
import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { type Installation, jpegPhoto, type Newcomer, openInstallation, until } from '@seaworthy/testkit'
import { machineLine, spread } from './measure.ts'

const EFFECT_ROUNDS = 5
const UPLOADS = 50

async function upload(person: Newcomer, body: Uint8Array<ArrayBuffer>): Promise<string> {
  const response = await person.fetch('/api/cosnap/photos?name=bench.jpg', { method: 'POST', body })
  if (response.status !== 201) throw new Error(`upload: ${response.status} ${await response.text()}`)
  return ((await response.json()) as { id: string }).id
}

async function start(person: Newcomer, photoId: string, effect: string): Promise<string> {
  const response = await person.fetch('/api/cosnap/runs', {
    method: 'POST',
    body: JSON.stringify({ photoId, effect, strength: 60 }),
    headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
  })
  if (response.status !== 202) throw new Error(`start: ${response.status}`)
  return ((await response.json()) as { id: string }).id
}

interface RunView {
  readonly state: string
  readonly finishedAt: string
}

const finished = (person: Newcomer, id: string): Promise<RunView> =>
  until(
    'the effect is done',
    async () => {
      const run = (await (await person.fetch(`/api/cosnap/runs/${id}`)).json()) as RunView
      return run.state === 'done' && run
    },
    120_000,
  )

/** Proportional set size of the supervisor and everything below it, in megabytes: shared pages are counted once. */
async function treeMegabytes(installation: Installation): Promise<number> {
  const roots = [await installation.pid('supervisor'), await installation.pid('database')]
  let kilobytes = 0
  for (const pid of roots.flatMap(descendants))
    kilobytes += Number(/^Pss:\s+(\d+)/m.exec(readIfThere(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0)
  return kilobytes / 1_024
}

/** A backend of the database may end while we look. */
function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

async function peakMegabytes(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmHWM:\s+(\d+)/m.exec(text)?.[1] ?? 0) / 1_024
}

function descendants(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readIfThere(`/proc/${pid}/task/${task}/children`).trim().split(/\s+/).filter(Boolean).map(Number),
  )
  return [pid, ...children.flatMap(descendants)]
}

console.log(machineLine())
const installation = await openInstallation()
try {
  installation.signal('SIGTERM')
  await until('it has stopped', () => installation.exitCode() !== undefined)
  const began = performance.now()
  await installation.restart()
  console.log(`warm start to healthy        ${((performance.now() - began) / 1_000).toFixed(1)} s`)
  await new Promise((resolve) => setTimeout(resolve, 5_000))
  console.log(`memory of all at idle        ${(await treeMegabytes(installation)).toFixed(0)} MB`)

  const person = await installation.newcomer()
  const large = await jpegPhoto(4_000, 3_000)
  for (const effect of ['noir', 'oil', 'cartoon']) {
    const times: number[] = []
    for (let round = 0; round < (effect === 'noir' ? EFFECT_ROUNDS : 2); round++) {
      const from = performance.now()
      await finished(person, await start(person, await upload(person, large), effect))
      times.push((performance.now() - from) / 1_000)
    }
    const { median, min, max } = spread(times)
    console.log(
      `12 MP upload to ${effect.padEnd(8)} done  ${median.toFixed(1)} s (${min.toFixed(1)} to ${max.toFixed(1)})`,
    )
  }

  const people = await Promise.all([1, 2, 3].map(() => installation.newcomer()))
  let peak = 0
  const watch = setInterval(
    () =>
      void treeMegabytes(installation).then((now) => {
        peak = Math.max(peak, now)
      }),
    250,
  )
  const from = performance.now()
  const photos = await Promise.all(
    Array.from({ length: UPLOADS }, async (_, i) => ({
      person: people[i % 3] as Newcomer,
      id: await upload(people[i % 3] as Newcomer, large),
    })),
  )
  const uploadSeconds = (performance.now() - from) / 1_000
  const uploadPeak = peak
  const runs: { who: number; id: string }[] = []
  for (const who of [0, 1, 2])
    for (const photo of photos.filter((each) => each.person === people[who]).slice(0, 5))
      runs.push({ who, id: await start(photo.person, photo.id, 'noir') })
  const ends = await Promise.all(
    runs.map(async ({ who, id }) => ({
      who,
      at: Date.parse((await finished(people[who] as Newcomer, id)).finishedAt),
    })),
  )
  clearInterval(watch)
  const order = ends
    .sort((a, b) => a.at - b.at)
    .map(({ who }) => 'ABC'[who])
    .join('')
  console.log(
    `${UPLOADS} uploads of 12 MP at once   ${uploadSeconds.toFixed(1)} s, none failed, peak memory of all ${uploadPeak.toFixed(0)} MB`,
  )
  for (const part of ['supervisor', 'web', 'worker'])
    console.log(
      `largest resident size of ${part.padEnd(10)} ${(await peakMegabytes(await installation.pid(part))).toFixed(0)} MB`,
    )
  console.log(
    `15 effects of three accounts, started account by account, ended in the order ${order}; peak memory of all ${peak.toFixed(0)} MB`,
  )
} finally {
  await installation.close()
}
