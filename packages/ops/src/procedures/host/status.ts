import type { Host } from './host.ts'
import { type Holder, holderOf, takeLock } from './lock.ts'
import { recover } from './recover.ts'
import { type Part, readParts } from './release-view.ts'
import { readSlots, type Slots } from './slots.ts'
import { type HostState, readState } from './state.ts'

export interface HostStatus {
  readonly state: HostState
  readonly slots: Slots
  /** Of each release that runs. */
  readonly running: readonly { readonly id: string; readonly parts: readonly Part[] }[]
  /** Somebody changes it right now. */
  readonly holder: Holder | undefined
}

/** What serves on this host. What a killed command left behind is put right first. */
export async function readStatus(host: Host): Promise<HostStatus> {
  const { layout, runner } = host
  const holder = holderOf(layout)
  if (!holder && readState(layout).current) {
    const unlock = await takeLock(layout, 'status', host.by)
    await recover(host).finally(unlock)
  }
  const state = readState(layout)
  const running = []
  for (const { id } of state.releases)
    if (await runner.isAlive(id)) running.push({ id, parts: (await readParts(layout, id)) ?? [] })
  return { state, slots: readSlots(layout), running, holder }
}
