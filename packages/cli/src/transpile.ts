import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, sep } from 'node:path'
import ts from 'typescript'

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  rewriteRelativeImportExtensions: true,
  verbatimModuleSyntax: true,
  sourceMap: true,
}

/**
 * Writes what was built from one source file again, without looking at types: the editor and `npm run check` do that.
 * What the next build must not take for its own work is marked so.
 * @param directory The checkout.
 * @param file A TypeScript file below a `src` folder.
 */
export function transpile(directory: string, file: string): void {
  const at = file.lastIndexOf(`${sep}src${sep}`)
  const target = `${file.slice(0, at)}${sep}dist${file.slice(at + sep.length + 'src'.length, -'.ts'.length)}.js`
  const { outputText, sourceMapText } = ts.transpileModule(readFileSync(file, 'utf8'), {
    compilerOptions: { ...options, sourceRoot: dirname(file) },
    fileName: basename(file),
  })
  writeFileSync(target, outputText)
  writeFileSync(`${target}.map`, sourceMapText ?? '')
  rmSync(join(directory, 'dist', 'build.json'), { force: true })
  rmSync(join(file.slice(0, at), 'dist', '.tsbuildinfo'), { force: true })
}
