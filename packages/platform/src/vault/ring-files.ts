import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Secret } from '@seaworthy/core'
import { readSecretFile, replaceSecret } from '../config/index.ts'
import { RING_FILES, type RingConfig, type RingKey, toRingKey } from './key-ring.ts'

/** The keys that are kept in files, in clear: the current one and the older ones. */
interface KeptRing {
  readonly current: string | undefined
  readonly old: readonly string[]
}

const folderOf = (config: Pick<RingConfig, 'dataDirectory'>): string => join(config.dataDirectory, 'secrets')

function readKeptRing(config: Pick<RingConfig, 'dataDirectory'>): KeptRing {
  return {
    current: readSecretFile(join(folderOf(config), RING_FILES.current)),
    old: (readSecretFile(join(folderOf(config), RING_FILES.old)) ?? '').split(',').filter(Boolean),
  }
}

/** Another key beside the ones that are there: it can be read with from now on, and nothing is wrapped by it yet. */
export function addKey(config: Pick<RingConfig, 'dataDirectory'>): RingKey {
  const { old } = readKeptRing(config)
  const text = randomBytes(32).toString('hex')
  writeOld(config, [text, ...old])
  return toRingKey(new Secret(text))
}

/**
 * Makes a key of the ring the current one. At every moment, also after a crash between two steps, the files hold all
 * keys that they held before.
 */
export function makeCurrent(config: Pick<RingConfig, 'dataDirectory'>, id: string): void {
  const { current, old } = readKeptRing(config)
  const all = [...(current ? [current] : []), ...old]
  const chosen = all.find((text) => toRingKey(new Secret(text)).id === id)
  if (!chosen) throw new Error(`the key ${id} is not among the kept ones`)
  writeOld(config, all)
  replaceSecret(folderOf(config), RING_FILES.current, chosen)
  writeOld(
    config,
    all.filter((text) => text !== chosen),
  )
}

/** Puts keys from elsewhere into the files, the first of them current; those that were there stay readable. */
export function adoptKeys(config: Pick<RingConfig, 'dataDirectory'>, keys: readonly [Secret, ...Secret[]]): void {
  const { current, old } = readKeptRing(config)
  writeOld(config, [...(current ? [current] : []), ...old, ...keys.map((key) => key.reveal())])
  makeCurrent(config, toRingKey(keys[0]).id)
}

/** Takes keys out of the files for good. */
export function removeKeys(config: Pick<RingConfig, 'dataDirectory'>, ids: readonly string[]): void {
  const { old } = readKeptRing(config)
  const kept = old.filter((text) => !ids.includes(toRingKey(new Secret(text)).id))
  if (kept.length < old.length) writeOld(config, kept)
}

function writeOld(config: Pick<RingConfig, 'dataDirectory'>, keys: readonly string[]): void {
  replaceSecret(folderOf(config), RING_FILES.old, [...new Set(keys)].join(','))
}
