import { existsSync, writeFileSync } from 'node:fs'
import { join, parse } from 'node:path'
import type { Secret } from '@seaworthy/core'
import { readConfig } from '@seaworthy/platform/config'
import {
  adoptKeys,
  type ColumnStatus,
  type KeyStatus,
  keyStatus,
  openKeyRing,
  PASSPHRASE_MIN,
  parseSplit,
  type Refreshed,
  RING_KEY_DAYS_MAX,
  type RingKeyStatus,
  recordKitVerified,
  refreshAll,
  retireRingKeys,
  rotateDataKeys,
  rotateRing,
  type Split,
  writeKit,
  writeShares,
} from '@seaworthy/platform/vault'
import { withKeyTools } from './key-tools.ts'
import { type OpenedKitFiles, openKitFiles } from './kit-files.ts'
import { openPassphraseReader } from './passphrase.ts'
import { findPlace } from './place.ts'

const print = (text: string): void => void process.stdout.write(`${text}\n`)

export interface RefreshFlags {
  /** Rows in a second. */
  readonly rate: string
}

/** `seaworthy keys status`: which keys there are, how old, what is sealed with which. */
export async function showKeyStatus({ json }: { readonly json?: boolean }): Promise<void> {
  const status = await withKeyTools(({ session, ring, columns }) => keyStatus(session, ring, columns))
  print(json ? JSON.stringify(status, undefined, 2) : describe(status))
}

function describe({ ringKeys, columns }: KeyStatus): string {
  const keyLine = (key: RingKeyStatus): string =>
    `  ${key.id}  ${key.isCurrent ? 'current' : 'older  '}  ${key.ageDays} days old, wraps ${key.wraps} keys, ` +
    `${key.isInRing ? '' : 'MISSING HERE, '}${key.kitVerifiedAt ? 'in a verified recovery kit' : 'in no verified recovery kit'}`
  const columnLine = ({ table, column, total, clear, older }: ColumnStatus): string =>
    `  ${table}.${column}  ${total} values, ${clear} in clear, ${older} with an older data key`
  const current = ringKeys.find((key) => key.isCurrent)
  const hints = [
    ...(current && current.ageDays > RING_KEY_DAYS_MAX ? ['    HINT: seaworthy keys rotate'] : []),
    ...(ringKeys.some((key) => !key.isCurrent && key.wraps === 0) ? ['    HINT: seaworthy keys retire'] : []),
    ...(ringKeys.some((key) => !key.kitVerifiedAt) ? ['    HINT: seaworthy keys kit FILE'] : []),
    ...(columns.some((column) => column.clear > 0) ? ['    HINT: seaworthy keys encrypt-existing'] : []),
  ]
  return ['keys', ...ringKeys.map(keyLine), 'sealed columns', ...columns.map(columnLine), ...hints].join('\n')
}

/** `seaworthy keys rotate`: a new ring key; with `--data` new data keys, and every value sealed again. */
export async function rotateKeys({ data, rate }: RefreshFlags & { readonly data?: boolean }): Promise<void> {
  await withKeyTools(async (tools) => {
    const started = performance.now()
    if (data) {
      const { made, refreshed } = await rotateDataKeys(tools, settingsOf(rate))
      print(made ? `${made} new data keys` : 'an earlier rotation is finished')
      return report(refreshed, started)
    }
    const { current, resumed, rewrapped } = await rotateRing(tools)
    print(resumed ? 'an earlier rotation is finished' : `the current key is now ${current}`)
    print(`${rewrapped} data keys are wrapped by it (${secondsSince(started)} s)`)
    print('    HINT: make a new recovery kit: seaworthy keys kit FILE, and then: seaworthy keys retire')
  })
}

/** `seaworthy keys encrypt-existing`: what was stored before its column was sealed. */
export async function encryptExisting({ rate }: RefreshFlags): Promise<void> {
  await withKeyTools(async (tools) => {
    const started = performance.now()
    report(await refreshAll(tools, settingsOf(rate)), started)
  })
}

/** `seaworthy keys retire`: ring keys that wrap nothing any more are deleted. */
export async function retireKeys(): Promise<void> {
  await withKeyTools(async (tools) => {
    const retired = await retireRingKeys(tools)
    if (retired.length === 0) return print('there is no older key that is unused')
    print(`retired: ${retired.join(', ')}`)
    if (!tools.config.keptSecrets.includes('encryptionKey')) print('    HINT: now take them out of ENCRYPTION_KEYS_OLD')
  })
}

export interface KitFlags {
  readonly verify?: boolean
  /** Such as `3-of-5`. */
  readonly shares?: string
}

/** `seaworthy keys kit`: writes one, in one piece or in shares, or with `--verify` reads one back. */
export async function recoveryKit(files: readonly string[], { verify, shares }: KitFlags): Promise<void> {
  const [file] = files
  if (verify && !file) throw new Error('Which kit?\n    HINT: seaworthy keys kit --verify FILE')
  if (verify) return verifyKit(await openKitFiles(files))
  if (files.length > 1) throw new Error('Which file?\n    HINT: seaworthy keys kit FILE writes one kit')
  if (shares) return splitKit(file, parseSplit(shares))
  const kit = writeKit(openKeyRing(readConfig(findPlace().directory)), await newPassphrase(), new Date())
  if (!file) return print(kit)
  writeFileSync(file, kit, { mode: 0o600, flag: 'wx' })
  print(`The kit is in ${file}. Print it or carry it elsewhere, and then read it back:`)
  print(`    HINT: seaworthy keys kit --verify ${file}`)
}

async function newPassphrase(): Promise<Secret> {
  const reader = openPassphraseReader()
  try {
    const passphrase = await reader.ask(`A new passphrase, at least ${PASSPHRASE_MIN} characters`)
    if (passphrase.reveal().length < PASSPHRASE_MIN)
      throw new Error(
        `The passphrase is too short.\n    HINT: at least ${PASSPHRASE_MIN} characters, such as four random words`,
      )
    if ((await reader.ask('The same again')).reveal() !== passphrase.reveal()) throw new Error('The two differ.')
    return passphrase
  } finally {
    reader.close()
  }
}

/** `kit.txt` gives `kit-1.txt`, `kit-2.txt` and so on. */
async function splitKit(file: string | undefined, split: Split): Promise<void> {
  const shares = await writeShares(openKeyRing(readConfig(findPlace().directory)), split, new Date())
  if (!file) return print(shares.join('\n\n'))
  const { dir, name, ext } = parse(file)
  const names = shares.map((_, i) => join(dir, `${name}-${i + 1}${ext || '.txt'}`))
  const there = names.find((path) => existsSync(path))
  if (there) throw new Error(`${there} is there already.\n    HINT: name another file`)
  for (const [i, path] of names.entries()) writeFileSync(path, shares[i] ?? '', { mode: 0o600, flag: 'wx' })
  print(
    `The shares are in ${names.join(', ')}. Any ${split.needed} open the kit. Read them back, and then give each to somebody else:`,
  )
  print(`    HINT: seaworthy keys kit --verify ${names.join(' ')}`)
}

/** It counts when everybody's share was read: one that nobody could read would be missed on the wrong day. */
async function verifyKit(kit: OpenedKitFiles): Promise<void> {
  if (kit.unread?.length)
    throw new Error(
      `These open the kit, but it counts only when all of its shares were read back: ${kit.unread.join(', ')} are missing.\n    HINT: seaworthy keys kit --verify FILE FILE ..., with all of them`,
    )
  const missing = await withKeyTools(({ session }) => recordKitVerified(session, kit.fingerprints))
  if (missing.length)
    throw new Error(
      `The kit opens, but these keys in use are not in it: ${missing.join(', ')}\n    HINT: seaworthy keys kit FILE makes one that has them`,
    )
  print(`The kit opens and holds every key in use: ${kit.fingerprints.join(', ')}`)
}

/** `seaworthy keys restore`: puts the keys of a kit into this installation's secrets. Needs no database. */
export async function restoreKeys(files: readonly string[]): Promise<void> {
  const config = readConfig(findPlace().directory)
  if (!config.keptSecrets.includes('encryptionKey'))
    throw new Error('ENCRYPTION_KEY is set from outside.\n    HINT: unset ENCRYPTION_KEY, and run this again')
  const kit = await openKitFiles(files)
  adoptKeys(config, kit.keys)
  print(`The current key is now ${kit.fingerprints[0]}; ${kit.fingerprints.length} of the kit are here.`)
  print('    HINT: npm start')
}

const settingsOf = (rate: string) => {
  const rowsPerSecond = Number(rate)
  if (!(rowsPerSecond > 0)) throw new Error('The rate must be a number of rows in a second.\n    HINT: --rate 20000')
  return { rowsPerSecond }
}

function report(refreshed: readonly Refreshed[], started: number): void {
  for (const { table, column, seen, sealed, resealed } of refreshed)
    print(`${table}.${column}: ${seen} values, ${sealed} were clear and are sealed, ${resealed} were sealed again`)
  print(`(${secondsSince(started)} s)`)
  const lost = refreshed.flatMap(({ table, column, unreadable }) =>
    unreadable.map((row) => `${table}.${column} ${row}`),
  )
  if (lost.length)
    throw new Error(
      `These do not open and were left as they are:\n  ${[...new Set(lost)].join('\n  ')}\n    HINT: they were changed outside, or their key is gone`,
    )
}

const secondsSince = (started: number): string => ((performance.now() - started) / 1_000).toFixed(2)
