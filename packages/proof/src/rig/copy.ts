import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { PatchSabotage } from '../sabotage.ts'
import { builtPathOf, transpile } from './transpile.ts'

/** What runs: compiled files, migrations, pages. No sources: what a patch changes is compiled into the copy. */
const parts = ['dist', 'web/dist', 'package.json', 'web/package.json', 'package-lock.json', 'licences.json', 'scripts']
const packageParts = ['dist', 'migrations', 'queue', 'package.json', 'bin']

/** A copy of the built product whose packages are its own, so that a change of it changes nothing else. */
export function copyProduct(root: string, target: string): void {
  for (const part of parts) copyPart(root, target, part)
  const own: [name: string, folder: string][] = []
  for (const group of ['packages', 'apps'])
    for (const name of readdirSync(join(root, group))) {
      const folder = join(group, name)
      if (!existsSync(join(root, folder, 'dist'))) continue
      for (const part of packageParts) copyPart(root, target, join(folder, part))
      own.push([name, folder])
    }
  linkModules(join(root, 'node_modules'), join(target, 'node_modules'), target, own)
}

function copyPart(root: string, target: string, part: string): void {
  if (existsSync(join(root, part))) cpSync(join(root, part), join(target, part), { recursive: true })
}

function linkModules(from: string, to: string, target: string, own: readonly [string, string][]): void {
  mkdirSync(join(to, '@seaworthy'), { recursive: true })
  for (const name of readdirSync(from)) if (name !== '@seaworthy') symlinkSync(join(from, name), join(to, name))
  for (const [name, folder] of own) symlinkSync(join(target, folder), join(to, '@seaworthy', name))
}

/** Throws when the text is not there exactly once: a sabotage that changes nothing proves nothing. */
export function applyPatch(root: string, copy: string, { name, file: given, find, replace }: PatchSabotage): void {
  const isSource = given.endsWith('.ts') && given.includes('/src/')
  const file = isSource ? given : onlyMatch(copy, given)
  const text = readFileSync(join(isSource ? root : copy, file), 'utf8')
  const found = text.split(find).length - 1
  if (found !== 1)
    throw new Error(
      `the sabotage "${name}" looks for a text in ${file} that is there ${found} times, not once: ${find.slice(0, 80)}`,
    )
  const changed = text.replace(find, () => replace)
  if (isSource) writeCompiled(root, copy, { name, file }, changed)
  else writeText(copy, file, changed)
}

/** Built files carry a hash in their name: `*` stands for it. */
function onlyMatch(copy: string, file: string): string {
  if (!file.includes('*')) return file
  const [begin = '', end = ''] = basename(file).split('*')
  const names = readdirSync(join(copy, dirname(file))).filter((name) => name.startsWith(begin) && name.endsWith(end))
  if (names.length !== 1) throw new Error(`${file} is there ${names.length} times, not once`)
  return join(dirname(file), names[0] ?? '')
}

function writeCompiled(
  root: string,
  copy: string,
  { name, file }: { name: string; file: string },
  changed: string,
): void {
  const built = builtPathOf(file)
  const before = readFileSync(join(copy, built), 'utf8')
  const { code } = transpile(changed, file, dirname(join(root, file)))
  if (code === before) throw new Error(`the sabotage "${name}" changes nothing of what is compiled from ${file}`)
  writeFileSync(join(copy, built), code)
}

function writeText(copy: string, file: string, text: string): void {
  writeFileSync(join(copy, file), text)
  for (const ending of ['.br', '.gz']) rmSync(join(copy, `${file}${ending}`), { force: true })
}
