import { writeFileSync } from 'node:fs'
import { describe, keepEdits, type RenderedFile, renderFiles, type Target, targets, writeFiles } from '@seaworthy/ops'
import { findPlace, loadSystem } from './place.ts'

export interface RenderFlags {
  readonly check?: true
  readonly keep?: true
  readonly list?: true
  readonly json?: true
  readonly out?: string
}

/** Writes the files of these targets, all without names. With `check` it writes nothing, and exit code 1 says that something differs. */
export async function runRender(names: readonly string[], flags: RenderFlags): Promise<void> {
  if (flags.list)
    return print(
      targets.map(({ name, about, notRunHere }) =>
        row(name, notRunHere ? `${about} (not run here: ${notRunHere})` : about),
      ),
    )
  const place = findPlace()
  const chosen = choose(names)
  const description = describe(await loadSystem(place), place.build.version)
  const directory = flags.out ?? place.directory
  if (flags.keep)
    return print(
      keepEdits(chosen, description, directory).map((path) => row('kept', path)),
      'Nothing was changed by hand.',
    )
  const files = renderFiles(chosen, description, directory)
  if (flags.json)
    writeFileSync(
      1,
      `${JSON.stringify(
        files.map(({ path, drift, patched }) => ({ path, drift: drift ?? null, patched })),
        null,
        2,
      )}\n`,
    )
  if (flags.check) return report(files, flags.json === true)
  const written = writeFiles(files, directory)
  if (!flags.json)
    print(
      written.map((path) => row('written', path)),
      `All ${files.length} files are as the definition says.`,
    )
}

function choose(names: readonly string[]): readonly Target[] {
  const unknown = names.find((name) => !targets.some((target) => target.name === name))
  if (unknown)
    throw new Error(`There is no target ${unknown}.\n    HINT: one of ${targets.map(({ name }) => name).join(', ')}`)
  return names.length ? targets.filter(({ name }) => names.includes(name)) : targets
}

function report(files: readonly RenderedFile[], quiet: boolean): void {
  const stale = files.filter((file) => file.drift)
  if (!quiet)
    print(
      stale.map(({ path, drift }) => row(drift ?? '', path)),
      `All ${files.length} files are as the definition says.`,
    )
  if (!stale.length) return
  if (!quiet) process.stderr.write('    HINT: seaworthy render, or for changes of your own: seaworthy render --keep\n')
  process.exitCode = 1
}

const row = (head: string, text: string): string => `${head.padEnd(10)} ${text}`

const print = (lines: readonly string[], none = ''): void => {
  if (lines.length || none) process.stdout.write(`${lines.length ? lines.join('\n') : none}\n`)
}
