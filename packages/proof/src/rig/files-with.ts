import { runProgram } from './run-program.ts'

/** As it is, and in the two forms in which bytes are written as text. */
const formsOf = (text: string): readonly string[] => [
  text,
  Buffer.from(text).toString('hex'),
  Buffer.from(text).toString('base64').replace(/=+$/, ''),
]

/** Files below a directory that hold any of these texts. By grep. */
export async function filesWith(directory: string, ...texts: readonly string[]): Promise<readonly string[]> {
  const patterns = texts.flatMap(formsOf).flatMap((form) => ['-e', form])
  const { stdout } = await runProgram('grep', ['-rlaF', ...patterns, directory], { timeoutMs: 60_000 })
  return stdout.split('\n').filter(Boolean)
}
