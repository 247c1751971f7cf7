import { fault } from '@seaworthy/core'

/** At most `concurrency` pieces of heavy work at a time; beyond `waitingMax` that wait, the next is told to come back. */
export interface WorkQueue {
  run<T>(work: () => Promise<T>): Promise<T>
  readonly waiting: number
}

export function createWorkQueue(concurrency: number, waitingMax: number): WorkQueue {
  const waiting: (() => void)[] = []
  let active = 0
  const enter = async (): Promise<void> => {
    if (active < concurrency) {
      active++
      return
    }
    if (waiting.length >= waitingMax)
      throw fault('unavailable', {
        detail: 'Too many pictures are being worked on. Please try again shortly.',
        retryAfterSeconds: 5,
      })
    await new Promise<void>((resolve) => waiting.push(resolve))
  }
  const leave = (): void => {
    const next = waiting.shift()
    if (next) next()
    else active--
  }
  return {
    run: async (work) => {
      await enter()
      try {
        return await work()
      } finally {
        leave()
      }
    },
    get waiting() {
      return waiting.length
    },
  }
}
