import { chmodSync, mkdirSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { SECOND } from '@seaworthy/core'
import { type Containers, wordsFor } from '../containers/containers.ts'
import type { Engine } from '../containers/engine.ts'
import { imageOf, readKept } from '../containers/kept-image.ts'
import { giveTo, userOf } from '../containers/user.ts'
import { startWords } from '../containers/words.ts'
import { ownRun, socketPath } from '../layout.ts'
import type { Runner } from '../runner.ts'
import { readIfThere, writeAtomically } from '../write-file.ts'

const LINES_SHOWN = '60'
const STOP_MARGIN_MS = 30 * SECOND
const GROUP_OF_FOLDER = 0o2000

/** Each release in a container, which its engine starts again when it ends by itself. */
export function openContainerRunner(containers: Containers): Runner {
  const { layout, nameOf } = containers
  const look = async (release: string): Promise<Look> => lookAt(await containers.engine(), nameOf(release))
  const fileOf = (release: string, ending: string): string => join(layout.run, `${release}.${ending}`)
  return {
    name: 'containers',
    prepare: (release) => prepareFolder(containers, release),
    start: async (release) => {
      if ((await look(release)).isAlive) return
      const engine = await containers.engine()
      const { id } = await imageOf(engine, layout, release)
      // What is left of a start that was interrupted has the name.
      await engine.attempt(['rm', '--force', nameOf(release)])
      const about = { release, image: id, name: nameOf(release), envFile: fileOf(release, 'settings'), isOwner: false }
      await engine.run(startWords(await wordsFor(containers, about)))
    },
    stop: async (release, deadlineMs) => {
      if (!(await look(release)).isThere) return
      const engine = await containers.engine()
      const seconds = String(Math.ceil(deadlineMs / SECOND))
      await engine.attempt(['stop', '-t', seconds, nameOf(release)], { timeoutMs: deadlineMs + STOP_MARGIN_MS })
      // With the container its log would go.
      writeAtomically(fileOf(release, 'log'), await readLogs(engine, nameOf(release)))
      await engine.run(['rm', '--force', nameOf(release)])
    },
    isAlive: async (release) => (await look(release)).isAlive,
    restarts: async (release) => (await look(release)).restarts,
    logs: async (release) =>
      (await look(release)).isThere
        ? readLogs(await containers.engine(), nameOf(release))
        : (readIfThere(fileOf(release, 'log')) ?? ''),
    forget: (release) => forget(containers, release),
  }
}

/** A folder that the container sees and where it makes its sockets; the name that nginx's links lead to leads there. */
async function prepareFolder(containers: Containers, release: string): Promise<Readonly<Record<string, string>>> {
  const { layout } = containers
  const folder = ownRun(layout, release)
  mkdirSync(folder, { recursive: true })
  giveTo(userOf(layout, await containers.engine()), folder)
  chmodSync(folder, (statSync(layout.run).mode & 0o777) | GROUP_OF_FOLDER)
  symlinkSync(join(basename(folder), 'web.sock'), socketPath(layout, release))
  return { SOCKET: join(folder, 'web.sock'), ADMIN_SOCKET: join(folder, 'admin.sock') }
}

/** Also the image, where nobody else has a name for it or uses it. */
async function forget({ layout, engine, nameOf, keptName }: Containers, release: string): Promise<void> {
  const found = await engine()
  await found.attempt(['rm', '--force', nameOf(release)])
  const id = readKept(layout, release)?.id
  for (const name of [keptName(release), ...(id ? [id] : [])]) await found.attempt(['image', 'rm', name])
  rmSync(ownRun(layout, release), { recursive: true, force: true })
  rmSync(join(layout.run, `${release}.settings`), { force: true })
}

interface Look {
  readonly isThere: boolean
  readonly isAlive: boolean
  readonly restarts: number
}

const alive = new Set(['running', 'restarting', 'stopping', 'paused'])

async function lookAt(engine: Engine, name: string): Promise<Look> {
  const format = '{{.State.Status}} {{.RestartCount}}'
  const { isDone, stdout, stderr } = await engine.attempt(['container', 'inspect', '--format', format, name])
  if (!isDone && /no such (container|object)/i.test(stderr)) return { isThere: false, isAlive: false, restarts: 0 }
  if (!isDone) throw new Error(`${engine.kind} container inspect: ${stderr.trim()}`)
  const [status = '', restarts] = stdout.trim().split(' ')
  return { isThere: true, isAlive: alive.has(status), restarts: Number(restarts) }
}

async function readLogs(engine: Engine, name: string): Promise<string> {
  const { stdout, stderr } = await engine.attempt(['logs', '--tail', LINES_SHOWN, name])
  return `${stdout}${stderr}`
}
