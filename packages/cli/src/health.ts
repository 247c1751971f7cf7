import { get } from 'node:http'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readAdminAddress } from '@seaworthy/platform/config/admin'

// Imports next to nothing: a container asks every few seconds, and the launcher comes here without the other commands.

const ANSWER_MS = 3_000
const directory = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')

/** `seaworthy health`: exit code 0 when every part of the installation is ready, else 1 and why. */
export async function checkHealth(): Promise<void> {
  const problem = await findProblem(readAdminAddress(directory))
  if (problem) process.stderr.write(`${problem}\n`)
  process.exitCode = problem ? 1 : 0
}

function findProblem({ name, address }: ReturnType<typeof readAdminAddress>): Promise<string | undefined> {
  return new Promise((resolve) => {
    const asked = get({ ...address, path: '/health', timeout: ANSWER_MS }, (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (chunk: string) => {
        text += chunk
      })
      answer.once('end', () => resolve(answer.statusCode === 200 ? undefined : describe(text, name)))
    })
    asked.once('timeout', () => asked.destroy(new Error(`no answer within ${ANSWER_MS / 1_000} s`)))
    asked.once('error', (error: NodeJS.ErrnoException) =>
      resolve(`Not ready: nothing answers at ${name} (${error.code ?? error.message}).`),
    )
  })
}

function describe(text: string, address: string): string {
  try {
    const { parts } = JSON.parse(text) as { parts: readonly { name: string; state: string }[] }
    const late = parts.filter(({ state }) => state !== 'ready').map(({ name, state }) => `${name} is ${state}`)
    return `Not ready: ${late.join(', ')}.`
  } catch {
    return `Not ready: what answers at ${address} is no admin server of Seaworthy.`
  }
}
