import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Layout, releasePath } from '../layout.ts'
import { readIfThere, writeAtomically } from '../write-file.ts'
import type { Engine } from './engine.ts'
import { findImage, type Image, inspectImage, isByDigest } from './image.ts'

const recordOf = (layout: Layout, release: string): string => join(releasePath(layout, release), 'image.json')

/** Writes down which image a release is, and gives it a name, so that nobody who removes what has none removes it. */
export async function keepImage(
  layout: Layout,
  engine: Engine,
  release: string,
  image: Image,
  name: string,
): Promise<void> {
  if (!existsSync(releasePath(layout, release))) mkdirSync(releasePath(layout, release), { recursive: true })
  writeAtomically(recordOf(layout, release), `${JSON.stringify(image, null, 2)}\n`)
  await engine.run(['tag', image.id, name])
}

/** Undefined when this release was never kept here. */
export function readKept(layout: Layout, release: string): Image | undefined {
  const text = readIfThere(recordOf(layout, release))
  return text === undefined ? undefined : (JSON.parse(text) as Image)
}

/** The image of a release, pulled again when somebody has removed it. Throws when it is gone for good. */
export async function imageOf(engine: Engine, layout: Layout, release: string): Promise<Image> {
  const kept = readKept(layout, release)
  if (!kept) throw new Error(`There is no image of ${release} on this host.\n    HINT: seaworthy releases`)
  if (await inspectImage(engine, kept.id)) return kept
  if (!isByDigest(kept.reference))
    throw new Error(
      `The image of ${release} was removed from this host: ${kept.id}.\n    HINT: ${engine.program} load, or deploy another`,
    )
  await findImage(engine, kept.reference, () => undefined)
  return kept
}
