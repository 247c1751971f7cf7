import type { Engine } from './engine.ts'

/** Where containers of releases are. */
export interface Network {
  readonly name: string
  /** This host, as containers reach it; undefined where the network has no such address. */
  readonly gateway: string | undefined
  /** Nobody in it reaches anything but this host. */
  readonly isInternal: boolean
}

/** That of this host itself: whoever is in it needs no other address, and reaches everything that listens on loopback. */
const HOST_NETWORK = 'host'

interface Inspected {
  readonly internal?: boolean
  readonly subnets?: readonly { readonly gateway?: string }[]
  readonly Internal?: boolean
  readonly IPAM?: { readonly Config?: readonly { readonly Gateway?: string }[] | null }
}

/** The network that is named in `shared/containers.env`, or else one of our own, which is made when it is missing. */
export async function openNetwork(engine: Engine, named: string | undefined, own: string): Promise<Network> {
  if (named === HOST_NETWORK) return { name: named, gateway: undefined, isInternal: false }
  const name = named ?? own
  const found = await inspect(engine, name)
  if (found) return found
  if (named) throw new Error(`There is no network ${named}.\n    HINT: ${engine.program} network create ${named}`)
  // Another command may make it at this moment.
  await engine.attempt(['network', 'create', '--internal', name])
  const made = await inspect(engine, name)
  if (!made)
    throw new Error(
      `The network ${name} could not be made.\n    HINT: ${engine.program} network create --internal ${name}`,
    )
  return made
}

async function inspect(engine: Engine, name: string): Promise<Network | undefined> {
  const { isDone, stdout } = await engine.attempt(['network', 'inspect', name])
  const [found] = isDone ? (JSON.parse(stdout) as Inspected[]) : []
  if (!found) return undefined
  const gateway = found.subnets?.[0]?.gateway ?? found.IPAM?.Config?.[0]?.Gateway
  return { name, gateway, isInternal: found.internal ?? found.Internal ?? false }
}
