import { readFileSync, writeFileSync } from 'node:fs'
import { readConfig } from '@seaworthy/platform/config'
import {
  adoptKeys,
  type ColumnStatus,
  type KeyStatus,
  keyStatus,
  openKeyRing,
  openKit,
  PASSPHRASE_MIN,
  type Refreshed,
  RING_KEY_DAYS_MAX,
  type RingKeyStatus,
  recordKitVerified,
  refreshAll,
  retireRingKeys,
  rotateDataKeys,
  rotateRing,
  writeKit,
} from '@seaworthy/platform/vault'
import { withKeyTools } from './key-tools.ts'
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

/** `seaworthy keys kit`: writes one, or with `--verify` reads one back. */
export async function recoveryKit(file: string | undefined, { verify }: { readonly verify?: boolean }): Promise<void> {
  if (verify && !file) throw new Error('Which kit?\n    HINT: seaworthy keys kit --verify FILE')
  const reader = openPassphraseReader()
  try {
    if (verify && file) return await verifyKit(readFileSync(file, 'utf8'), await reader.ask('Passphrase of the kit'))
    const passphrase = await reader.ask(`A new passphrase, at least ${PASSPHRASE_MIN} characters`)
    if (passphrase.reveal().length < PASSPHRASE_MIN)
      throw new Error(
        `The passphrase is too short.\n    HINT: at least ${PASSPHRASE_MIN} characters, such as four random words`,
      )
    if ((await reader.ask('The same again')).reveal() !== passphrase.reveal()) throw new Error('The two differ.')
    const kit = writeKit(openKeyRing(readConfig(findPlace().directory)), passphrase, new Date())
    if (!file) return print(kit)
    writeFileSync(file, kit, { mode: 0o600, flag: 'wx' })
    print(`The kit is in ${file}. Print it or carry it elsewhere, and then read it back:`)
    print(`    HINT: seaworthy keys kit --verify ${file}`)
  } finally {
    reader.close()
  }
}

async function verifyKit(text: string, passphrase: Parameters<typeof openKit>[1]): Promise<void> {
  const kit = openKit(text, passphrase)
  if (!kit) throw new Error(wrongPassphrase)
  const missing = await withKeyTools(({ session }) => recordKitVerified(session, kit.fingerprints))
  if (missing.length)
    throw new Error(
      `The kit opens, but these keys in use are not in it: ${missing.join(', ')}\n    HINT: seaworthy keys kit FILE makes one that has them`,
    )
  print(`The kit opens and holds every key in use: ${kit.fingerprints.join(', ')}`)
}

const wrongPassphrase =
  'The kit does not open: the passphrase is another one, or a letter of the code was changed.\n    HINT: compare the code with the print, letter by letter'

/** `seaworthy keys restore`: puts the keys of a kit into this installation's secrets. Needs no database. */
export async function restoreKeys(file: string): Promise<void> {
  const config = readConfig(findPlace().directory)
  if (!config.keptSecrets.includes('encryptionKey'))
    throw new Error('ENCRYPTION_KEY is set from outside.\n    HINT: unset ENCRYPTION_KEY, and run this again')
  const reader = openPassphraseReader()
  try {
    const kit = openKit(readFileSync(file, 'utf8'), await reader.ask('Passphrase of the kit'))
    if (!kit) throw new Error(wrongPassphrase)
    adoptKeys(config, kit.keys)
    print(`The current key is now ${kit.fingerprints[0]}; ${kit.fingerprints.length} of the kit are here.`)
    print('    HINT: npm start')
  } finally {
    reader.close()
  }
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
