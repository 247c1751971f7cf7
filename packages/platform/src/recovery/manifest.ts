import { createHash } from 'node:crypto'

/** What PostgreSQL says about the files of a base backup. */
export interface Manifest {
  readonly systemId: string
  readonly files: ReadonlyMap<string, { readonly bytes: number; readonly sha256: string }>
}

interface ManifestFile {
  readonly 'System-Identifier': number
  readonly Files: readonly {
    readonly Path: string
    readonly Size: number
    readonly Checksum: string
    readonly 'Checksum-Algorithm': string
  }[]
  readonly 'Manifest-Checksum': string
}

const LAST = '"Manifest-Checksum"'

/** Throws when one byte of it is not what the server wrote. */
export function parseManifest(bytes: Buffer): Manifest {
  const end = bytes.lastIndexOf(LAST)
  if (end < 0) throw new Error('backup_manifest was cut off')
  const sum = createHash('sha256').update(bytes.subarray(0, end)).digest('hex')
  const content = parse(bytes)
  if (content['Manifest-Checksum'] !== sum) throw new Error('backup_manifest was changed')
  // A number beyond what JavaScript counts exactly.
  const systemId = /"System-Identifier":\s*(\d+)/.exec(bytes.toString())?.[1] ?? ''
  const files = new Map<string, { bytes: number; sha256: string }>()
  for (const file of content.Files) {
    if (file['Checksum-Algorithm'] !== 'SHA256') throw new Error(`${file.Path} has no SHA-256 in backup_manifest`)
    files.set(file.Path, { bytes: file.Size, sha256: file.Checksum })
  }
  return { systemId, files }
}

function parse(bytes: Buffer): ManifestFile {
  try {
    return JSON.parse(bytes.toString()) as ManifestFile
  } catch (cause) {
    throw new Error('backup_manifest was changed', { cause })
  }
}
