import { jsonBody, type Person } from './person.ts'
import { startRun } from './photo.ts'
import { monotonicMs } from './watcher.ts'

/** Somebody with a photo, whose account hears of what is done with it. */
export interface Owner {
  readonly person: Person
  readonly photoId: string
}

interface Said {
  readonly jobId: string
  readonly state: string
  /** When the request began, in milliseconds of the machine's monotonic clock. */
  readonly atMs: number
}

export interface Talk {
  readonly said: readonly Said[]
  /** Requests that were not answered well. */
  readonly failed: number
}

/** Each of them starts an effect and cancels it, again and again; each step is an event. No worker may run. */
export async function talk(owners: readonly Owner[], rounds: number): Promise<Talk> {
  const said: Said[] = []
  let failed = 0
  const once = async ({ person, photoId }: Owner): Promise<void> => {
    const startedMs = monotonicMs()
    const started = await startRun(person, photoId)
    if (!started.ok) throw new Error(`an effect was not started: ${started.status}`)
    const { id, jobId } = (await started.json()) as { id: string; jobId: string }
    said.push({ jobId, state: 'waiting', atMs: startedMs })
    const cancelledMs = monotonicMs()
    const cancelled = await person.fetch(`/api/cosnap/runs/${id}/cancel`, jsonBody({}))
    if (!cancelled.ok) throw new Error(`an effect was not cancelled: ${cancelled.status}`)
    said.push({ jobId, state: 'cancelled', atMs: cancelledMs })
  }
  for (let round = 0; round < rounds; round++)
    for (const owner of owners)
      await once(owner).catch(() => {
        failed++
      })
  return { said, failed }
}
