import { turnableClock } from '@seaworthy/testkit'
import { expect, it } from 'vitest'
import { createHealth } from './health.ts'
import { watchHealth } from './health-watch.ts'
import { createMemoryLogger } from './logger.ts'
import { createMetrics } from './metrics.ts'

it('tells once that a part begins to fail, and once that it works again, though nobody asks', async () => {
  const clock = turnableClock()
  const [health, log, metrics] = [createHealth(clock), createMemoryLogger(), createMetrics()]
  let isFull = true
  health.add({
    name: 'disk',
    kind: 'nice',
    runbook: 'disk-full',
    check: async () => {
      if (isFull) throw new Error('0 MB are free')
    },
  })
  health.add({ name: 'database', kind: 'must', runbook: 'database-gone', check: async () => undefined })
  const watch = watchHealth(health, log, metrics)
  const look = async (): Promise<void> => {
    clock.turn(2_000)
    await watch.look()
  }
  for (let looks = 0; looks < 3; looks++) await look()
  expect(log.lines.filter((line) => line.includes('"error"'))).toHaveLength(1)
  expect(log.lines[0]).toMatch(
    /"part":"disk","problem":"0 MB are free","runbook":"disk-full".*a part of the service fails/,
  )
  expect(await metrics.text()).toMatch(/^health_failed_parts 1$/m)
  isFull = false
  for (let looks = 0; looks < 3; looks++) await look()
  watch.stop()
  expect(log.lines.filter((line) => line.includes('works again'))).toHaveLength(1)
  expect(await metrics.text()).toMatch(/^health_failed_parts 0$/m)
})
