import { createHmac } from 'node:crypto'
import { join } from 'node:path'
import { Secret } from '@seaworthy/core'
import { type Config, readSecretFile } from '../config/index.ts'

/** A key that wraps data keys. Its id is its fingerprint, which says nothing about the key. */
export interface RingKey {
  readonly id: string
  readonly bytes: Buffer
}

/** The keys of this installation: one that wraps, and older ones that can still be read with. */
export interface KeyRing {
  /** The key that wraps from now on; read again from its file, so that a rotation is seen at once. */
  current(): RingKey
  /** The key with this fingerprint, also when it was added after the start. */
  find(id: string): RingKey | undefined
  /** All of them, the current one first. */
  all(): readonly RingKey[]
}

/** Files that the ring is kept in where no setting gives it. */
export const RING_FILES = { current: 'ENCRYPTION_KEY', old: 'ENCRYPTION_KEYS_OLD' } as const

export type RingConfig = Pick<Config, 'secrets' | 'encryptionKeysOld' | 'keptSecrets' | 'dataDirectory'>

export function openKeyRing(config: RingConfig): KeyRing {
  const directory = join(config.dataDirectory, 'secrets')
  const isKept = config.keptSecrets.includes('encryptionKey')
  const given = [config.secrets.encryptionKey, ...config.encryptionKeysOld].map(toRingKey)
  const fromFiles = (): RingKey[] => {
    const current = isKept ? readSecretFile(join(directory, RING_FILES.current)) : undefined
    const old = readSecretFile(join(directory, RING_FILES.old))
    return [...(current ? [current] : []), ...(old ? old.split(',') : [])].map((text) => toRingKey(new Secret(text)))
  }
  let keys: readonly RingKey[] = []
  const load = (): void => {
    const found = fromFiles()
    // The first of the files is the current key only where the files, not a setting, say which one it is.
    keys = unique(isKept ? [...found, ...given] : [...given, ...found])
  }
  load()
  const find = (id: string): RingKey | undefined => keys.find((key) => key.id === id)
  return {
    current: () => {
      load()
      return keys[0] ?? toRingKey(config.secrets.encryptionKey)
    },
    find: (id) => {
      const found = find(id)
      if (found) return found
      load()
      return find(id)
    },
    all: () => {
      load()
      return keys
    },
  }
}

/** A ring of these keys, the first of them current. */
export function ringOf(...secrets: readonly [Secret, ...Secret[]]): KeyRing {
  const keys = secrets.map(toRingKey)
  return {
    current: () => keys[0] as RingKey,
    find: (id) => keys.find((key) => key.id === id),
    all: () => keys,
  }
}

export function toRingKey(secret: Secret): RingKey {
  const bytes = Buffer.from(secret.reveal(), 'hex')
  const id = createHmac('sha256', bytes).update('seaworthy key fingerprint').digest('hex').slice(0, 16)
  return { id, bytes }
}

const unique = (keys: readonly RingKey[]): readonly RingKey[] =>
  keys.filter((key, i) => keys.findIndex((other) => other.id === key.id) === i)
