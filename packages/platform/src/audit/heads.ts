import { randomBytes } from 'node:crypto'
import { appendFile, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ChainHead } from './seal.ts'

/**
 * The heads of all chains, kept outside the database: who cuts off the end of a chain there cannot cut it off here.
 * Lines are added and never changed; a full file is followed by one that begins with everything that is still true.
 */
export interface HeadsFile {
  /** Durable when it resolves. */
  add(heads: readonly ChainHead[]): Promise<void>
  /** Lines that were sealed before this moment may be missing from now on. */
  addForgotten(before: Date): Promise<void>
  /** After a restore on purpose: the heads until now are those of a database that is no more. */
  addRestored(at: Date): Promise<void>
  read(): Promise<KnownHeads>
}

export interface KnownHeads {
  readonly heads: ReadonlyMap<string, { readonly seq: number; readonly mac: string }>
  /** Milliseconds since 1970; 0 when nothing was forgotten yet. */
  readonly forgottenBefore: number
}

type HeadsLine = { h: [chain: string, seq: number, mac: string] } | { forgotten: string } | { restored: string }

const FILE_BYTES_MAX = 16 * 1_024 * 1_024
const form = /^heads-(\d{8})\.jsonl$/
const nameOf = (number: number): string => `heads-${String(number).padStart(8, '0')}.jsonl`

/** @param directory Made when it is missing; readable by its owner only. */
export function openHeadsFile(directory: string, bytesMax = FILE_BYTES_MAX): HeadsFile {
  let last: Promise<void> = Promise.resolve()
  /** One at a time here. A head that another process adds while this one rotates may be lost: its next one says more. */
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    last = last.catch(() => undefined).then(work)
    return last
  }
  const add = (lines: readonly HeadsLine[]): Promise<void> =>
    inTurn(async () => {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      const number = (await numbers(directory)).at(-1) ?? 1
      const path = join(directory, nameOf(number))
      await appendDurably(path, lines)
      if ((await stat(path)).size > bytesMax) await rotate(directory, number)
    })
  return {
    add: (heads) => add(heads.map(({ chain, seq, mac }) => ({ h: [chain, seq, mac.toString('base64url')] }))),
    addForgotten: (before) => add([{ forgotten: before.toISOString() }]),
    addRestored: (at) => add([{ restored: at.toISOString() }]),
    read: () => readAll(directory),
  }
}

async function numbers(directory: string): Promise<number[]> {
  const names = await readdir(directory).catch(() => [])
  return names
    .flatMap((name) => form.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b)
}

const toText = (lines: readonly HeadsLine[]): string => lines.map((line) => `${JSON.stringify(line)}\n`).join('')

async function appendDurably(path: string, lines: readonly HeadsLine[]): Promise<void> {
  const file = await open(path, 'a', 0o600)
  try {
    await appendFile(file, toText(lines))
    await file.datasync()
  } finally {
    await file.close()
  }
}

/** The next file begins with all that is known; only then the full one may go. */
async function rotate(directory: string, full: number): Promise<void> {
  const { heads, forgottenBefore } = await readAll(directory)
  const lines: HeadsLine[] = [...heads].map(([chain, { seq, mac }]) => ({ h: [chain, seq, mac] }))
  if (forgottenBefore) lines.push({ forgotten: new Date(forgottenBefore).toISOString() })
  // In two containers that share the directory, process ids are the same.
  const draft = join(directory, `draft-${randomBytes(6).toString('hex')}`)
  await appendDurably(draft, lines)
  await rename(draft, join(directory, nameOf(full + 1)))
  for (const number of await numbers(directory)) if (number <= full) await rm(join(directory, nameOf(number)))
}

async function readAll(directory: string): Promise<KnownHeads> {
  const heads = new Map<string, { seq: number; mac: string }>()
  let forgottenBefore = 0
  for (const line of await linesOf(directory)) {
    if ('forgotten' in line) forgottenBefore = Math.max(forgottenBefore, Date.parse(line.forgotten))
    else if ('restored' in line) heads.clear()
    else if (line.h[1] >= (heads.get(line.h[0])?.seq ?? 0)) heads.set(line.h[0], { seq: line.h[1], mac: line.h[2] })
  }
  return { heads, forgottenBefore }
}

async function linesOf(directory: string): Promise<HeadsLine[]> {
  const files = (await numbers(directory)).map((number) => readFile(join(directory, nameOf(number)), 'utf8'))
  return (await Promise.all(files)).flatMap((text) => text.split('\n').flatMap((line) => parse(line) ?? []))
}

/** A line that broke off when the machine died says nothing. */
function parse(text: string): HeadsLine | undefined {
  try {
    return text ? (JSON.parse(text) as HeadsLine) : undefined
  } catch {
    return undefined
  }
}
