import { type Arrivals, startArrivals } from './arrivals.ts'
import { giveCredits } from './credits.ts'
import type { Person } from './person.ts'
import { jpegPhoto, type Run, startRun, uploadPhoto } from './photo.ts'
import type { Rig } from './rig.ts'
import type { Stack } from './stack.ts'

/** What somebody asked for, and the beginning of what they got. */
interface Answer {
  readonly kind: 'write' | 'read' | 'page'
  /** Milliseconds after the first, when it was asked. */
  readonly at: number
  readonly text: string
}

export interface SteadyUse extends Pick<Arrivals, 'samples' | 'now'> {
  readonly stack: Stack
  readonly person: Person
  /** What the effects are made of. */
  readonly photoId: string
  /** Ids. */
  readonly acknowledged: readonly string[]
  /** What it was answered. */
  lastWrite(): string | undefined
  stop(): Promise<readonly Answer[]>
}

/** Somebody starts effects, lists them and their photos and opens a page, all the while. */
export async function startUse(rig: Rig, stack: Stack, perSecond: number): Promise<SteadyUse> {
  const person = await stack.newcomer()
  await giveCredits(await stack.database('admin'), person, 100_000)
  const photoId = await uploadPhoto(person, await jpegPhoto(64, 48))
  const [answers, acknowledged]: [Answer[], string[]] = [[], []]
  const startedAt = performance.now()
  const note = async (kind: Answer['kind'], ask: () => Promise<Response>): Promise<boolean> => {
    const at = performance.now() - startedAt
    const text = await ask().then(
      async (response) => {
        const body = await response.text()
        if (kind === 'write' && response.status === 202) acknowledged.push((JSON.parse(body) as Run).id)
        return `${response.status} ${response.headers.get('content-type')} ${body.slice(0, 300)}`
      },
      (error: Error) => `no answer: ${error.message} ${String(error.cause)}`,
    )
    answers.push({ kind, at, text })
    return text.startsWith('202')
  }
  const arrivals = startArrivals(perSecond, async () => {
    const write = note('write', () => startRun(person, photoId))
    await Promise.all([
      note('read', () => person.fetch('/api/cosnap/photos')),
      note('read', () => person.fetch('/api/cosnap/runs')),
      note('page', () => fetch(`${stack.url}/`)),
    ])
    return write
  })
  rig.defer(() => arrivals.stop())
  const stop = async (): Promise<readonly Answer[]> => {
    await arrivals.stop()
    return answers
  }
  const lastWrite = () => answers.findLast(({ kind }) => kind === 'write')?.text
  return { ...arrivals, lastWrite, stack, person, photoId, acknowledged, stop }
}
