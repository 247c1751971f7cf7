import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Host } from './host.ts'
import { removeRelease } from './release.ts'
import { type HostState, readState, updateState } from './state.ts'

/** The releases that are kept: what serves, what served before, what is warm, and the newest. */
export function releasesToKeep({ releases, serving, previous, warm }: HostState, keep: number): ReadonlySet<string> {
  const newest = [...releases].sort((a, b) => (a.copiedAt < b.copiedAt ? 1 : -1)).map(({ id }) => id)
  return new Set([...newest.slice(0, keep), serving, previous, warm].filter((id) => id !== undefined))
}

/** Removes older releases, and drafts of copies that were interrupted. Never one that runs. */
export async function prune(host: Host, keep: number): Promise<readonly string[]> {
  const { layout, runner } = host
  const state = readState(layout)
  const kept = releasesToKeep(state, keep)
  const removed: string[] = []
  for (const id of existsSync(layout.releases) ? readdirSync(layout.releases) : []) {
    if (kept.has(id) || (await runner.isAlive(id))) continue
    await runner.forget(id)
    removeRelease(layout, id)
    for (const ending of ['env', 'log', 'pid', 'sock']) rmSync(join(layout.run, `${id}.${ending}`), { force: true })
    removed.push(id)
  }
  updateState(layout, (now) => ({ ...now, releases: now.releases.filter(({ id }) => !removed.includes(id)) }))
  return removed
}
