import { commandInContainer } from '../containers/command.ts'
import { type Containers, openContainers } from '../containers/containers.ts'
import { openContainerRunner } from '../drivers/container.ts'
import { openDetachedRunner } from '../drivers/detached.ts'
import { commandOn, type Host } from '../host.ts'
import type { Layout } from '../layout.ts'
import { commandOfBoth, runnerOfBoth } from '../runner.ts'

/** Sizes that need not be those of a system. */
const size = { replicas: 1, memoryMiB: 512, cpu: 0.5, pids: 256, openFiles: 65_536 }
const sizes = { web: size, worker: size }
const about = {
  name: 'boat',
  shutdownSeconds: 30,
  sizes: {
    host: sizes,
    'compose-development': sizes,
    'compose-production': sizes,
    'kubernetes-development': sizes,
    'kubernetes-staging': sizes,
    'kubernetes-production': sizes,
  },
  neighbours: { proxy: size, database: size, redis: size, migrate: size },
}

/** A host as the command line opens it. */
export function openTestHost(layout: Layout, tell: Host['tell'] = () => undefined): Host & { containers: Containers } {
  const containers = openContainers({ layout, about })
  return {
    layout,
    containers,
    runner: runnerOfBoth(openDetachedRunner(layout), openContainerRunner(containers)),
    by: 'test',
    tell,
    command: commandOfBoth(commandOn(layout), commandInContainer(containers)),
  }
}
