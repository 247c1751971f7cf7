import { spawn } from 'node:child_process'
import { bareEnvironment } from './environment.ts'

export interface ProgramRun {
  /** -1 when a signal ended it. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface ProgramRunSettings {
  readonly input?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly timeoutMs?: number
}

/** Runs a program to its end, without a shell. */
export function runProgram(
  path: string,
  args: readonly string[],
  { input = '', environment = {}, timeoutMs = 30_000 }: ProgramRunSettings = {},
): Promise<ProgramRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, { env: { ...bareEnvironment(), ...environment }, timeout: timeoutMs })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk) => {
      stdout += chunk
    })
    child.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    child.once('error', reject)
    child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr }))
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
  })
}
