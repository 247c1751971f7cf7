import type { Check } from './check.ts'
import { checkContainers } from './containers/checks.ts'
import type { Containers } from './containers/containers.ts'
import { findImage, hostArchitecture, type Image } from './containers/image.ts'
import { keepImage } from './containers/kept-image.ts'
import { type Layout, releasePath } from './layout.ts'
import { copyRelease, identifyRelease } from './release.ts'
import { imageRelease } from './runner.ts'
import type { ReleaseRecord } from './state.ts'

/** What is deployed: where it comes from, and how it becomes a release of this host. */
export interface Source {
  readonly release: Omit<ReleaseRecord, 'copiedAt'>
  /** A built checkout or an image, for commands of a release that is not here yet. */
  readonly origin: string
  /** For people: from where to where. */
  readonly text: string
  /** What must be right for it besides what must be right for every release. */
  checks(): Promise<readonly Check[]>
  /** Makes it a release. Nothing when it is one. */
  bring(): Promise<void>
}

/** What is built in this checkout. Throws when nothing is. */
export function checkoutSource(layout: Layout, directory: string): Source {
  const release = identifyRelease(directory)
  return {
    release,
    origin: directory,
    text: `${directory} to ${releasePath(layout, release.id)}`,
    checks: async () => [],
    bring: async () => copyRelease(layout, directory, release.id),
  }
}

/** An image by its digest, or one that is on this host. Pulls it. Throws when there is none. */
export async function imageSource(
  containers: Containers,
  reference: string,
  tell: (text: string) => void,
): Promise<Source> {
  const engine = await containers.engine()
  const image = await findImage(engine, reference, tell)
  const id = imageRelease(image.id)
  return {
    release: { id, commit: image.commit, version: image.version, image: reference },
    origin: image.id,
    text: `${reference} as ${id}`,
    checks: async () => [checkArchitecture(image), ...(await checkContainers(containers, id))],
    bring: () => keepImage(containers.layout, engine, id, image, containers.keptName(id)),
  }
}

const checkArchitecture = ({ reference, architecture }: Image): Check =>
  architecture === hostArchitecture()
    ? { name: 'image', ok: true, found: `${reference} is for ${architecture}` }
    : {
        name: 'image',
        ok: false,
        found: `${reference} is for ${architecture}, and this machine is ${hostArchitecture()}`,
        remedy: 'build it for this machine: --platform',
      }
