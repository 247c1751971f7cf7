import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bareEnvironment } from '../environment.ts'
import { type ProgramRun, runProgram } from '../run-program.ts'

/** From the checkout whose sources an image is built of. */
export const checkout = join(import.meta.dirname, '..', '..', '..', '..', '..')

/** Images and what builds them are kept here from proof to proof; no store of anybody else is touched. */
export const store = join(bareEnvironment().HOME ?? '/', '.cache', 'seaworthy', 'containers')

export const storeOptions = [
  ...['--root', join(store, 'store'), '--runroot', join(store, 'run')],
  ...['--network-config-dir', join(store, 'networks')],
]

export const HERE_OPEN_FILES = 16_384

/** Without systemd, and where the limits of this machine cannot be raised. */
const configuration = `[containers]
default_ulimits = ["nofile=${HERE_OPEN_FILES}:${HERE_OPEN_FILES}", "nproc=${HERE_OPEN_FILES}:${HERE_OPEN_FILES}"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
`

/** What every program that drives containers gets. */
export function engineEnvironment(): Record<string, string> {
  const file = join(store, 'containers.conf')
  if (!isConfigured(file)) {
    mkdirSync(join(store, 'networks'), { recursive: true })
    // At once: somebody else may be reading it.
    const draft = `${file}.${process.pid}`
    writeFileSync(draft, configuration)
    renameSync(draft, file)
  }
  return { CONTAINERS_CONF: file }
}

function isConfigured(file: string): boolean {
  try {
    return readFileSync(file, 'utf8') === configuration
  } catch {
    return false
  }
}

const PATIENCE_MS = 900_000

/** Podman on the store of the proofs. Throws with what it says unless its exit code is 0. */
export async function podman(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await tryPodman(...args)
  if (code !== 0) throw new Error(`podman ${args.slice(0, 3).join(' ')}: ${(stderr || stdout).slice(-800)}`)
  return stdout.trim()
}

export const tryPodman = (...args: readonly string[]): Promise<ProgramRun> =>
  runProgram('podman', [...storeOptions, ...args], { environment: engineEnvironment(), timeoutMs: PATIENCE_MS })
