import {
  container,
  containerLogs,
  type Description,
  hardening,
  type Size,
  scratch,
  stopGraceSeconds,
  sumOf,
} from '../../../description/index.ts'
import type { Engine } from './engine.ts'
import type { Network } from './network.ts'
import type { Mount } from './settings.ts'

/** What this machine and whoever types the command can give at most. */
export interface Ceiling {
  readonly cpus: number
  readonly openFiles: number
  readonly processes: number
}

/** Who a container is, to this host. */
export interface ContainerUser {
  /** Numbers, as the kernel sees them when the engine is root's. */
  readonly uid: number
  readonly gid: number
  /** Podman without root: whoever types the command is the user of the image inside. */
  readonly isMapped: boolean
}

export interface ContainerWords {
  readonly kind: Engine['kind']
  readonly about: Pick<Description, 'sizes' | 'neighbours' | 'shutdownSeconds'>
  readonly name: string
  /** `sha256:...` */
  readonly image: string
  readonly user: ContainerUser
  readonly network: Network
  readonly envFile: string
  readonly mounts: readonly Mount[]
  readonly labels: Readonly<Record<string, string>>
  readonly ceiling: Ceiling
}

/** What an engine is told to start a release, which goes on by itself and comes back when it ends by itself. */
export const startWords = (words: ContainerWords): string[] => [
  ...['run', '--detach', '--restart', 'always'],
  ...['--stop-timeout', String(stopGraceSeconds(words.about))],
  ...logWords[words.kind],
  ...commonWords(words, sumOf(words.about.sizes.host)),
  words.image,
  ...container.start.slice(-1),
]

/** What it is told to run one command of a release, to its end. */
export const commandWords = (words: ContainerWords, args: readonly string[]): string[] => [
  ...['run', '--rm', '--no-healthcheck', '--log-driver', 'none'],
  ...commonWords(words, words.about.neighbours.migrate),
  words.image,
  ...args,
]

/** The names by which settings may call this host, whichever engine there is. */
const hostNames = ['host.containers.internal', 'host.docker.internal']

const commonWords = (words: ContainerWords, size: Omit<Size, 'replicas'>): string[] => [
  ...['--name', words.name],
  ...Object.entries(words.labels).flatMap(([name, value]) => ['--label', `${name}=${value}`]),
  ...userWords(words.user),
  ...(hardening.readOnly ? ['--read-only'] : []),
  ...hardening.dropped.flatMap((name) => ['--cap-drop', name]),
  ...hardening.securityOptions.flatMap((option) => ['--security-opt', option]),
  ...['--tmpfs', scratch],
  ...limitWords(words, size),
  ...['--network', words.network.name],
  ...(words.network.gateway ? hostNames.flatMap((name) => ['--add-host', `${name}:${words.network.gateway}`]) : []),
  ...['--env-file', words.envFile],
  ...words.mounts.flatMap(({ from, to, mayWrite }) => ['--volume', `${from}:${to}${mayWrite ? '' : ':ro'}`]),
]

const userWords = ({ uid, gid, isMapped }: ContainerUser): string[] =>
  isMapped
    ? [
        '--userns',
        `keep-id:uid=${container.user},gid=${container.user}`,
        '--user',
        `${container.user}:${container.user}`,
      ]
    : ['--user', `${uid}:${gid}`]

/** Docker refuses more processors than there are; podman cannot give more files than whoever types the command has. */
function limitWords(
  { kind, ceiling }: ContainerWords,
  { memoryMiB, cpu, pids, openFiles }: Omit<Size, 'replicas'>,
): string[] {
  const files = kind === 'podman' ? Math.min(openFiles, ceiling.openFiles) : openFiles
  return [
    ...['--memory', `${memoryMiB}m`, '--cpus', String(Math.min(cpu, ceiling.cpus)), '--pids-limit', String(pids)],
    ...['--ulimit', `nofile=${files}:${files}`],
    // Else podman asks for a million processes, which not everybody may.
    ...(kind === 'podman' ? ['--ulimit', `nproc=${ceiling.processes}:${ceiling.processes}`] : []),
  ]
}

/** Each keeps its files where its own `logs` finds them, and no more than these. */
const logWords: Readonly<Record<Engine['kind'], readonly string[]>> = {
  podman: ['--log-driver', 'k8s-file', '--log-opt', `max-size=${containerLogs.fileMiB}m`],
  docker: [
    ...['--log-driver', 'local', '--log-opt', `max-size=${containerLogs.fileMiB}m`],
    ...['--log-opt', `max-file=${containerLogs.files}`],
  ],
}
