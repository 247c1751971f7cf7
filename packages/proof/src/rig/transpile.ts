import { basename } from 'node:path'
import ts from 'typescript'

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  rewriteRelativeImportExtensions: true,
  verbatimModuleSyntax: true,
  sourceMap: true,
}

/** JavaScript of one TypeScript source, without looking at types, as the build would make it. */
export function transpile(source: string, file: string, sourceRoot: string): { code: string; map: string } {
  const { outputText, sourceMapText } = ts.transpileModule(source, {
    compilerOptions: { ...options, sourceRoot },
    fileName: basename(file),
  })
  return { code: outputText, map: sourceMapText ?? '' }
}

/** `packages/x/src/a/b.ts` is built as `packages/x/dist/a/b.js`. */
export function builtPathOf(file: string): string {
  const at = file.lastIndexOf('/src/')
  return `${file.slice(0, at)}/dist/${file.slice(at + '/src/'.length, -'.ts'.length)}.js`
}
