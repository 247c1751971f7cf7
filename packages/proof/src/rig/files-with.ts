import { runProgram } from './run-program.ts'

/** Files below a directory that hold a text: as it is, and in the two forms in which bytes are written as text. By grep. */
export async function filesWith(directory: string, text: string): Promise<readonly string[]> {
  const forms = [text, Buffer.from(text).toString('hex'), Buffer.from(text).toString('base64').replace(/=+$/, '')]
  const { stdout } = await runProgram('grep', ['-rlaF', ...forms.flatMap((form) => ['-e', form]), directory])
  return stdout.split('\n').filter(Boolean)
}
