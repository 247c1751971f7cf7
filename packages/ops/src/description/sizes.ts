import type { Place } from './places.ts'

/** What one process gets, and how many there are. */
export interface Size {
  readonly replicas: number
  readonly memoryMiB: number
  readonly cpu: number
  /** Threads and processes: a fork bomb ends here. */
  readonly pids: number
  readonly openFiles: number
}

export interface Sizes {
  readonly web: Size
  readonly worker: Size
}

const PIDS = 256
const OPEN_FILES = 65_536

const size = (replicas: number, memoryMiB: number, cpu: number): Size => ({
  replicas,
  memoryMiB,
  cpu,
  pids: PIDS,
  openFiles: OPEN_FILES,
})

/** The one table of sizes. Staging has two web processes, so that state that is not shared shows there. */
export const sizes: Readonly<Record<Place, Sizes>> = {
  host: { web: size(2, 1_024, 1), worker: size(1, 1_024, 1) },
  'compose-development': { web: size(1, 512, 0.5), worker: size(1, 512, 0.5) },
  'compose-production': { web: size(3, 512, 0.5), worker: size(1, 1_024, 1) },
  'kubernetes-development': { web: size(1, 512, 0.5), worker: size(1, 512, 0.5) },
  'kubernetes-staging': { web: size(2, 512, 0.5), worker: size(1, 512, 0.5) },
  'kubernetes-production': { web: size(3, 1_024, 1), worker: size(2, 1_024, 1) },
}

/** What all processes of a place get together, where one unit or one container holds them. */
export const sumOf = ({ web, worker }: Sizes): Omit<Size, 'replicas'> => {
  const add = (of: (size: Size) => number): number => web.replicas * of(web) + worker.replicas * of(worker)
  return {
    memoryMiB: add(({ memoryMiB }) => memoryMiB),
    cpu: add(({ cpu }) => cpu),
    pids: add(({ pids }) => pids),
    openFiles: web.openFiles,
  }
}

/** What stands beside the processes where all of it runs in containers on one machine, and the migration. */
export const neighbours = {
  proxy: size(1, 256, 0.5),
  database: size(1, 2_048, 2),
  redis: size(1, 256, 0.5),
  migrate: size(1, 512, 0.5),
} as const

/** How web processes grow in production: by load of the processor, never below what survives the loss of one. */
export const scaling = { min: 3, max: 10, cpuPercent: 70 } as const
