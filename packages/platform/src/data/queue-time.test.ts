import { describe, expect, it } from 'vitest'
import { createQueueTime } from './queue-time.ts'

/** Connections that are handed out when the test says so. */
function openQueue(fewMax = 0) {
  let now = 0
  const pending: (() => void)[] = []
  const time = createQueueTime(fewMax, () => now)
  return {
    time,
    wait: () => void time.wait(new Promise<void>((resolve) => void pending.push(resolve))),
    serve: async (ms: number) => {
      now += ms
      pending.shift()?.()
      await new Promise((resolve) => setImmediate(resolve))
    },
    pass: (ms: number) => {
      now += ms
    },
  }
}

describe('the time in the queue for a connection', () => {
  it('is nothing while nobody waits', () => {
    expect(createQueueTime(0).expectedMs()).toBe(0)
  })

  it('is what the queue will take at its pace, known before anybody has waited that long', async () => {
    const queue = openQueue()
    for (let i = 0; i < 300; i++) queue.wait()
    for (let i = 0; i < 200; i++) await queue.serve(5)
    expect(queue.time.expectedMs()).toBeGreaterThan(400)
    expect(queue.time.expectedMs()).toBeLessThan(600)
    for (let i = 0; i < 100; i++) await queue.serve(5)
    expect(queue.time.expectedMs()).toBe(0)
  })

  it('forgets how long the queue stood once nobody waits any more', async () => {
    const queue = openQueue()
    queue.wait()
    await queue.serve(6_000)
    for (let i = 0; i < 40; i++) queue.wait()
    await queue.serve(5)
    expect(queue.time.expectedMs()).toBeLessThan(100)
  })

  it('is nothing while no more wait than there are connections, however long the disk stands', () => {
    const queue = openQueue(2)
    queue.wait()
    queue.wait()
    queue.pass(5_000)
    expect(queue.time.expectedMs()).toBe(0)
    queue.wait()
    expect(queue.time.expectedMs()).toBe(5_000)
  })

  it('grows while the queue stands', () => {
    const queue = openQueue()
    queue.pass(60_000)
    queue.wait()
    expect(queue.time.expectedMs()).toBe(0)
    queue.pass(1_500)
    expect(queue.time.expectedMs()).toBe(1_500)
  })
})
