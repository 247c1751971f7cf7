import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { builtPathOf, transpile } from '@seaworthy/proof/transpile'

/**
 * Writes what was built from one source file again, without looking at types: the editor and `npm run check` do that.
 * What the next build must not take for its own work is marked so.
 * @param directory The checkout.
 * @param file A TypeScript file below a `src` folder.
 */
export function rebuildFile(directory: string, file: string): void {
  const { code, map } = transpile(readFileSync(file, 'utf8'), file, dirname(file))
  const target = builtPathOf(file)
  writeFileSync(target, code)
  writeFileSync(`${target}.map`, map)
  rmSync(join(directory, 'dist', 'build.json'), { force: true })
  rmSync(join(target.slice(0, target.lastIndexOf('/dist/')), 'dist', '.tsbuildinfo'), { force: true })
}
