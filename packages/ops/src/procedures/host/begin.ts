import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { runFile } from './environment.ts'
import type { Host } from './host.ts'
import { type Layout, socketPath } from './layout.ts'
import { isReady, readParts } from './release-view.ts'
import { untilTrue } from './wait.ts'
import { writeAtomically } from './write-file.ts'

/** Makes the folders of an installation that are not there yet. */
export function makeFolders(layout: Layout): void {
  for (const folder of [layout.releases, layout.run, layout.data, layout.secrets])
    if (!existsSync(folder)) mkdirSync(folder, { recursive: true, mode: folder === layout.run ? 0o755 : 0o700 })
}

/** Starts a release beside whatever runs. Nothing when it runs already. */
export async function beginRelease({ layout, runner }: Host, release: string): Promise<void> {
  if (await runner.isAlive(release)) return
  rmSync(socketPath(layout, release), { force: true })
  const settings = {
    ...(await runner.prepare(release)),
    MIGRATIONS: 'wait',
    // nginx, on this machine, is the one proxy between people and the socket.
    TRUSTED_PROXIES: '1',
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`)
  writeAtomically(runFile(layout, release), lines.join(''))
  await runner.start(release)
}

/** Waits until each of its processes is ready and its socket answers. Throws with its last words when that does not come. */
export async function untilReady(host: Host, release: string, deadlineMs: number, signal: AbortSignal): Promise<void> {
  const { layout, runner } = host
  const before = await runner.restarts(release)
  let isGone = false
  const ready = await untilTrue(
    async () => {
      isGone = !(await runner.isAlive(release)) || (await runner.restarts(release)) > before
      if (isGone) return true
      const parts = await readParts(layout, release)
      return parts?.every(({ state }) => state === 'ready') === true && (await isReady(layout, release))
    },
    deadlineMs,
    signal,
  )
  if (ready && !isGone) return
  const why = isGone
    ? 'it ended'
    : signal.aborted
      ? 'it was told to go back'
      : `it was not ready within ${deadlineMs} ms`
  throw new Error(`${release} does not take traffic: ${why}.\n${lastLines(await runner.logs(release))}`)
}

const LINES_SHOWN = 6
const lastLines = (text: string): string =>
  text
    .trim()
    .split('\n')
    .slice(-LINES_SHOWN)
    .map((line) => `    ${line.slice(0, 300)}`)
    .join('\n')
