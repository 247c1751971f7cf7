import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Description } from '../description/index.ts'
import type { Artefact, Target } from '../targets/index.ts'
import { makePatch, patchPathOf, withPatch } from './patches.ts'

/** How a file in the checkout differs from what is rendered. */
type Drift = 'missing' | 'changed'

export interface RenderedFile extends Artefact {
  /** It holds changes of somebody's own. */
  readonly patched: boolean
  readonly drift: Drift | undefined
}

/** Every file of these targets, with the changes that were kept for it, compared with the checkout in `directory`. */
export function renderFiles(
  targets: readonly Target[],
  description: Description,
  directory: string,
): readonly RenderedFile[] {
  return targets
    .flatMap((target) => target.render(description))
    .map((artefact) => {
      const patch = readText(join(directory, patchPathOf(artefact.path)))
      const text = patch === undefined ? artefact.text : withPatch(artefact.path, artefact.text, patch)
      const there = readText(join(directory, artefact.path))
      const drift = there === undefined ? 'missing' : there === text ? undefined : 'changed'
      return { ...artefact, text, patched: patch !== undefined, drift }
    })
}

/** Writes what differs. Gives the paths that were written. */
export function writeFiles(files: readonly RenderedFile[], directory: string): readonly string[] {
  const stale = files.filter((file) => file.drift)
  for (const { path, text, executable } of stale) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), text)
    if (executable) chmodSync(join(directory, path), 0o755)
  }
  return stale.map(({ path }) => path)
}

/** Keeps what was changed by hand in the files of these targets. Gives the paths of the patches it wrote or removed. */
export function keepEdits(targets: readonly Target[], description: Description, directory: string): readonly string[] {
  return targets
    .flatMap((target) => target.render(description))
    .flatMap(({ path, text }) => {
      const edited = readText(join(directory, path))
      const [patchPath, kept] = [patchPathOf(path), readText(join(directory, patchPathOf(path)))]
      const patch = edited === undefined ? undefined : makePatch(path, text, edited)
      if (patch === kept) return []
      if (patch === undefined) rmSync(join(directory, patchPath))
      else {
        mkdirSync(dirname(join(directory, patchPath)), { recursive: true })
        writeFileSync(join(directory, patchPath), patch)
      }
      return [patchPath]
    })
}

const readText = (path: string): string | undefined => (existsSync(path) ? readFileSync(path, 'utf8') : undefined)
