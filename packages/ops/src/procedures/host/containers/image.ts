import { MINUTE } from '@seaworthy/core'
import type { Engine } from './engine.ts'

/** An image that is on this host. */
export interface Image {
  /** Of what is in it: `sha256:...`, the same on every host. */
  readonly id: string
  /** As it was asked for. */
  readonly reference: string
  /** As registries call it: `amd64`. */
  readonly architecture: string
  readonly commit: string
  readonly version: string
}

const PULL_MS = 15 * MINUTE
const byDigest = /@sha256:[0-9a-f]{64}$/
const label = (name: string): string => `org.opencontainers.image.${name}`

/** Whether it always means the same image, wherever it is pulled. */
export const isByDigest = (reference: string): boolean => byDigest.test(reference)

/** The image when it is here. Undefined when it is not. */
export async function inspectImage(engine: Engine, reference: string): Promise<Image | undefined> {
  const { isDone, stdout, stderr } = await engine.attempt(['image', 'inspect', reference])
  if (!isDone) {
    if (/no such (image|object)|not known|not found/i.test(stderr)) return undefined
    throw new Error(`${engine.kind} image inspect ${reference}: ${stderr.trim()}`)
  }
  const [found] = JSON.parse(stdout) as InspectedImage[]
  if (!found) return undefined
  const labels = found.Config?.Labels ?? {}
  return {
    id: found.Id.startsWith('sha256:') ? found.Id : `sha256:${found.Id}`,
    reference,
    architecture: found.Architecture,
    commit: labels[label('revision')] ?? 'unknown',
    version: labels[label('version')] ?? 'unknown',
  }
}

interface InspectedImage {
  readonly Id: string
  readonly Architecture: string
  readonly Config?: { readonly Labels?: Readonly<Record<string, string>> | null }
}

/**
 * The image, pulled when it is named by its digest and not here. A tag is taken only as what it means on this host now:
 * in a registry somebody else may move it. Throws when there is no such image.
 */
export async function findImage(engine: Engine, reference: string, tell: (text: string) => void): Promise<Image> {
  const here = await inspectImage(engine, reference)
  if (here) {
    if (!isByDigest(reference)) tell(`${reference} is ${here.id} on this host`)
    return here
  }
  if (!isByDigest(reference))
    throw new Error(
      `There is no image ${reference} on this host, and a tag is not pulled: it can be moved.\n    HINT: name it by its digest, as deploy/publish-image.sh prints it: registry/name@sha256:...`,
    )
  tell(`pulling ${reference}`)
  await engine.run(['pull', '--quiet', reference], { timeoutMs: PULL_MS }).catch((cause: Error) => {
    throw new Error(
      `The image cannot be pulled: ${cause.message}\n    HINT: ${engine.program} login ${reference.split('/')[0]}`,
      { cause },
    )
  })
  const pulled = await inspectImage(engine, reference)
  if (!pulled) throw new Error(`${engine.kind} has pulled ${reference} and does not find it.`)
  return pulled
}

/** What this machine runs, as registries call it. */
export const hostArchitecture = (): string => ({ x64: 'amd64', ia32: '386' })[process.arch as string] ?? process.arch
