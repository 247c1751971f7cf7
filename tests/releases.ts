import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Installation, openInstallation, statusOf, until } from '@seaworthy/testkit'
import { afterEach, beforeEach, inject } from 'vitest'

/** A start whose way in may be another than a port. */
export interface Release {
  readonly adminUrl: string
  readonly url: string
  output(): string
  signal(name: NodeJS.Signals): void
  /** By its admin server. */
  ready(): Promise<void>
  /** All it printed, once it has ended. */
  ended(): Promise<string>
  newcomer: Installation['newcomer']
}

const launcher = join(dirname(fileURLToPath(import.meta.url)), '..', 'packages', 'cli', 'bin', 'seaworthy.js')

/** Starts beside each other: one data directory and one database of the server of all tests, for each test. */
export function useReleases() {
  let directory: string
  let name: string
  let open: Installation[]
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'seaworthy-releases-'))
    name = `releases_${randomBytes(4).toString('hex')}`
    open = []
  })
  afterEach(async () => {
    await Promise.all(open.map((installation) => installation.close()))
    rmSync(directory, { recursive: true, force: true })
  })
  const database = (login = `seaworthy_admin:${inject('seaworthy').adminPassword}@`) => ({
    DATABASE_URL: `postgresql://${login}127.0.0.1:${inject('seaworthy').port}/${name}`,
    WORKER_PROCESSES: '0',
  })
  const start = async (environment: Record<string, string>): Promise<Release> => {
    const installation = await openInstallation({ environment, dataDirectory: directory, mayFail: true })
    open.push(installation)
    const { adminUrl, url, output, signal, newcomer, exitCode } = installation
    return {
      adminUrl,
      url,
      output,
      signal,
      newcomer,
      ready: async () => {
        await until(
          'the release is ready',
          async () => {
            if (exitCode() !== undefined) throw new Error(`it ended:\n${output().slice(-2_000)}`)
            return (await statusOf(`${adminUrl}/health/ready`)) === 200
          },
          90_000,
        )
      },
      ended: async () => {
        await until('the release has ended', () => installation.hasEnded(), 60_000)
        return output()
      },
    }
  }
  /** A command of the program, in the same directory; its exit code is never thrown. */
  const command = (environment: Record<string, string>, ...args: readonly string[]) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      const env = { PATH: process.env.PATH, HOME: process.env.HOME, DATA_DIR: directory, ...environment }
      execFile(process.execPath, [launcher, ...args], { env }, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
      )
    })
  return { directory: () => directory, database, start, command }
}
