export const KiB = 1024
export const MiB = 1024 * KiB
const GiB = 1024 * MiB

const unitBytes = { b: 1, kb: KiB, mb: MiB, gb: GiB } as const

/** `30mb`, `512kb`, `1048576` as bytes; undefined when it is none of them. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d{1,12})\s*(b|kb|mb|gb)?$/i.exec(text.trim())
  if (!match) return undefined
  const unit = (match[2] ?? 'b').toLowerCase() as keyof typeof unitBytes
  return Number(match[1]) * unitBytes[unit]
}

/** `31457280` as `30 MB`, for people. */
export function showBytes(bytes: number): string {
  if (bytes < KiB) return `${bytes} B`
  if (bytes < MiB) return `${Math.round(bytes / KiB)} KB`
  if (bytes >= GiB) return `${(bytes / GiB).toFixed(1).replace(/\.0$/, '')} GB`
  const megabytes = bytes / MiB
  return `${megabytes < 10 ? megabytes.toFixed(1).replace(/\.0$/, '') : Math.round(megabytes)} MB`
}
