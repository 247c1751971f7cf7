import {
  container,
  containerLogs,
  type Description,
  fromSecret,
  hardening,
  healthCheck,
  type Place,
  type Role,
  type Size,
  scratch,
  valuesOf,
} from '../../description/index.ts'

/** Where containers find the authority that signed the certificates of PostgreSQL and Redis. */
export const AUTHORITY = '/run/tls/ca.pem'

export const hardened = {
  read_only: hardening.readOnly,
  cap_drop: hardening.dropped,
  security_opt: hardening.securityOptions,
} as const

export const limits = ({ memoryMiB, cpu, pids, openFiles }: Omit<Size, 'replicas'>) => ({
  mem_limit: `${memoryMiB}m`,
  cpus: cpu,
  pids_limit: pids,
  ulimits: { nofile: { soft: openFiles, hard: openFiles } },
  // The oldest lines go first: without a bound a disk is full of them one day.
  logging: {
    driver: 'json-file',
    options: { 'max-size': `${containerLogs.fileMiB}m`, 'max-file': String(containerLogs.files) },
  },
})

/** `healthcheck` of a service: a command without a shell. */
export const checkedBy = (command: readonly string[], startPeriod: number = healthCheck.startPeriod) => ({
  test: ['CMD', ...command],
  interval: `${healthCheck.every}s`,
  timeout: `${healthCheck.timeout}s`,
  retries: healthCheck.retries,
  start_period: `${startPeriod}s`,
})

/** Words of a command in which `$` means itself. */
export const literal = (...words: readonly string[]): string[] => words.map((word) => word.replaceAll('$', '$$$$'))

/** The settings of a process; each secret as a file, so that no list of processes and no inspection shows it. */
export function settingsOf(about: Description, place: Place, role: Role, changes: Readonly<Record<string, string>>) {
  const kept = valuesOf(about, place, role).filter(([name, value]) => value !== '' && !(name in changes))
  const secrets = kept.flatMap(([name, value]) => (value === fromSecret ? [name] : []))
  return {
    environment: {
      ...Object.fromEntries(kept.filter(([, value]) => value !== fromSecret)),
      ...changes,
      ...Object.fromEntries(secrets.map((name) => [`${name}_FILE`, `/run/secrets/${secretName(name)}`])),
    },
    secrets: secrets.map(secretName),
  }
}

export const secretName = (setting: string): string => setting.toLowerCase()

/** What web processes, workers and the migration have in common. */
export const ours = {
  ...hardened,
  tmpfs: [scratch],
  volumes: [`data:${container.dataDirectory}`, `./tls/ca.pem:${AUTHORITY}:ro`],
} as const

export const imageOf = ({ image, version }: Pick<Description, 'image' | 'version'>): string => `${image}:${version}`
