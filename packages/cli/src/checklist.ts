import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { type Execute, type Gone, goThrough, type ItemReport, type Phase, phases, sign } from '@seaworthy/ops'
import { childEnvironment } from '@seaworthy/platform/config'
import { type InstallationFlags, withInstallation } from './installation.ts'
import { mark } from './marks.ts'
import { findPlace } from './place.ts'

export type ChecklistFlags = InstallationFlags & {
  readonly run?: boolean
  readonly sign?: string
  readonly as?: string
  readonly json?: boolean
}

/** `seaworthy checklist PHASE`: exit code 0 when no item is red. */
export async function runChecklist(given: string, flags: ChecklistFlags): Promise<void> {
  const phase = toPhase(given)
  const settings = { execute: flags.run ? execute : undefined, now: Date.now }
  const { sign: item, as: by } = flags
  if (item && !by) throw new Error('Who signs?\n    HINT: --as "Anna Example"')
  const gone = await withInstallation(flags, (here) =>
    item ? sign(here, phase, item, by ?? '', settings) : goThrough(here, phase, settings),
  )
  process.stdout.write(flags.json ? `${JSON.stringify(gone, null, 2)}\n` : tableOf(gone))
  process.exitCode = gone.isDone ? 0 : 1
}

function toPhase(given: string): Phase {
  const phase = phases.find((known) => known === given)
  if (!phase) throw new Error(`There is no checklist ${given}.\n    HINT: ${phases.join(', ')}`)
  return phase
}

function tableOf({ phase, release, items, seen, isDone }: Gone): string {
  const width = Math.max(...items.map(({ item }) => item.length))
  const row = ({ item, title, kind, state, found, next }: ItemReport): string =>
    [
      `${mark(state === 'red' ? 'bad' : state)}  ${item.padEnd(width)}  ${title}${kind === 'human' ? ' (a person)' : ''}`,
      `${' '.repeat(14 + width)}${found}`,
      ...(next ? [`${' '.repeat(14 + width)}> ${next}`] : []),
    ].join('\n')
  const red = items.filter(({ state }) => state === 'red').length
  return `${items.map(row).join('\n')}\n\n${isDone ? 'All is done' : `${red} of ${items.length} items are red`} ${phase} the deployment of ${release}. Seen: ${seen.slice(0, 16)}\n`
}

/** What it writes is shown as it goes; the last of it is kept. */
const execute: Execute = ([program = '', ...args]) => {
  const { directory } = findPlace()
  const [command, given] =
    program === 'seaworthy'
      ? [process.execPath, [join(directory, 'packages', 'cli', 'bin', 'seaworthy.js'), ...args]]
      : [program, args]
  return new Promise((resolve) => {
    const child = spawn(command, given, {
      cwd: directory,
      env: childEnvironment({}),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString()
        process.stderr.write(chunk)
      })
    child.once('error', (error) => resolve({ code: 127, output: error.message }))
    child.once('close', (code) => resolve({ code: code ?? 1, output }))
  })
}
