import { existsSync, readdirSync } from 'node:fs'
import { extname } from 'node:path'

/** What a build makes, by ending. What is not in here is not kept. */
const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.avif': 'image/avif',
  '.webp': 'image/webp',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
}

/** The media type of a file of the pages; undefined for what is none. */
export const assetType = (name: string): string | undefined => types[extname(name)]

/** Forms of a file that stand beside it, by the encoding that a browser accepts. Best first. */
export const encodedForms = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const

const plainName = (name: string): string => name.replace(/\.(br|gz)$/, '')

/** The names in a directory of built files, with the compressed forms beside them, in a fixed order. */
export function assetNames(directory: string): readonly string[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory)
    .filter((name) => assetType(plainName(name)) !== undefined)
    .sort()
}
