import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Rig } from '../rig.ts'
import { runProgram } from '../run-program.ts'
import { podman } from './engine.ts'

export interface UnpackedImage {
  readonly folder: string
  readonly layers: number
  /** Every file of every layer, also of those that a later one takes away, and what the image says of itself. */
  readonly files: readonly string[]
}

const PATIENCE_MS = 120_000

/** An image as whoever pulls it gets it: layer by layer, each in a folder of its own. */
export async function unpackImage(rig: Rig, name: string, folder = 'image'): Promise<UnpackedImage> {
  const root = join(rig.scratch, folder)
  const archive = join(rig.scratch, `${folder}.tar`)
  await podman('save', '--quiet', '--format', 'docker-archive', '--output', archive, name)
  await unpack(archive, root)
  const [{ Layers: layers = [] } = {}] = JSON.parse(readFileSync(join(root, 'manifest.json'), 'utf8')) as {
    Layers?: string[]
  }[]
  for (const [i, layer] of layers.entries()) await unpack(join(root, layer), join(root, 'layers', String(i)))
  // The archives of the layers would be found twice.
  const files = filesIn(root).filter((file) => !file.endsWith('.tar'))
  return { folder: root, layers: layers.length, files }
}

async function unpack(archive: string, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const args = ['--extract', '--no-same-owner', '--no-same-permissions', '--file', archive, '--directory', folder]
  const { code, stderr } = await runProgram('tar', args, { timeoutMs: PATIENCE_MS })
  if (code !== 0) throw new Error(`tar: ${stderr.slice(-300)}`)
}

const filesIn = (root: string): string[] =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
