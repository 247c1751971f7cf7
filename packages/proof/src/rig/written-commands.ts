import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Rig } from './rig.ts'
import { runIn } from './scan-tools.ts'

const LAUNCHER = 'packages/cli/bin/seaworthy.js'

/** What is wrong with a command as it is written; undefined when there is such a command and it takes these words. It is not run. */
export type TryCommand = (command: string) => Promise<string | undefined>

/** `rendered` holds the files that the product's checkout has below `deploy`. */
export function openCommandTrial(rig: Rig, rendered: string): TryCommand {
  const manifest = readFileSync(join(rig.product, 'package.json'), 'utf8')
  const { scripts } = JSON.parse(manifest) as { scripts: Readonly<Record<string, string>> }
  const programs: Readonly<Record<string, (words: readonly string[]) => Promise<string | undefined>>> = {
    npm: async (words) => {
      if (words.join(' ') === 'ci') return undefined
      for (const part of behind(words, scripts) ?? [['npm', ...words]]) {
        const why = part[0] === 'npm' ? `there is no npm ${words.join(' ')}` : await tryWords(part)
        if (why) return why
      }
      return undefined
    },
    sh: ([file = '']) => isScript(rig, [rig.product, rendered], file),
    node: async ([file = '', ...words]) => {
      if (file === LAUNCHER) return askHelp(rig, words)
      return existsSync(join(rig.product, file)) ? undefined : `there is no ${file}`
    },
  }
  const tryWords = async ([program = '', ...words]: readonly string[]): Promise<string | undefined> =>
    (await programs[program]?.(words)) ?? (program in programs ? undefined : `nobody here knows how to try ${program}`)
  return (command) => tryWords(wordsOf(command))
}

/** As a shell divides them, as far as these commands go. */
const wordsOf = (command: string): string[] =>
  [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '')

/** The commands of an npm script, the last with the words that it is given; undefined when there is no such script. */
function behind(words: readonly string[], scripts: Readonly<Record<string, string>>): string[][] | undefined {
  const [name = '', ...rest] = words[0] === 'run' ? words.slice(1) : words
  const parts = scripts[name]?.split(' && ').map(wordsOf)
  parts?.at(-1)?.push(...(rest[0] === '--' ? rest.slice(1) : rest))
  return parts
}

async function isScript(rig: Rig, folders: readonly string[], file: string): Promise<string | undefined> {
  const path = folders.map((folder) => join(folder, file)).find((name) => existsSync(name))
  if (!path) return `there is no ${file}`
  const { code, stderr } = await runIn(rig.product, 'sh', '-n', path)
  return code === 0 ? undefined : stderr.trim()
}

interface Usage {
  /** Each option, with whether a value follows it. */
  readonly options: ReadonlyMap<string, boolean>
  /** How many other words it takes. */
  readonly others: number
}

/** A command's own help says which options and how many other words it takes. */
async function askHelp(rig: Rig, [name = '', ...words]: readonly string[]): Promise<string | undefined> {
  const main = join(rig.product, 'packages', 'cli', 'dist', 'main.js')
  const { code, stdout } = await runIn(rig.product, process.execPath, main, name, '--help')
  const usage = code === 0 ? usageIn(stdout, name) : undefined
  if (!usage) return `seaworthy has no command ${name}`
  const unknown = words.find((word) => word.startsWith('--') && !usage.options.has(word))
  if (unknown) return `seaworthy ${name} has no option ${unknown}`
  const others = words.filter((word, at) => !word.startsWith('--') && !usage.options.get(words[at - 1] ?? ''))
  return others.length <= usage.others ? undefined : `seaworthy ${name} takes no ${others.join(' ')}`
}

function usageIn(help: string, name: string): Usage | undefined {
  const words = /^Usage: seaworthy (.*)$/m.exec(help)?.[1]?.split(' ') ?? []
  if (words[0] !== name) return undefined
  const places = words.slice(1).filter((place) => place !== '[options]')
  const options = [...help.matchAll(/^ +(--[\w-]+)( <\S+>)?/gm)]
  return {
    options: new Map(options.map(([, option = '', value]) => [option, value !== undefined])),
    others: places.some((place) => place.includes('...')) ? Number.POSITIVE_INFINITY : places.length,
  }
}
