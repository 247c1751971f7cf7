import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'
import type { Secret } from '@seaworthy/core'
import type { Position, Seen } from '../data/index.ts'

/** Carries what a client has seen from an answer to its next requests, whichever process they reach. */
export const POSITION_HEADER = 'seaworthy-position'

/** What a request has seen, and the one position that its client holds already. */
export interface Follower extends Seen {
  readonly shown: Position | undefined
}

export interface Positions {
  /** What was sent counts as one: the furthest. Nothing, when a part of it is not ours: then nobody knows what was seen. */
  open(header: string | readonly string[] | undefined): Follower
  seal(position: Position): string
}

const TOKENS_MAX = 16
const TOKEN = /^[\w-]{22}$/
const BYTES = 16

/**
 * Positions as clients get them. They are sealed because how much a service writes is nobody's business: one block of
 * AES, of which the second half must be zero, so that nobody makes one up.
 */
export function createPositions(secret: Secret): Positions {
  const key = createHmac('sha256', secret.reveal()).update('positions of the log').digest()
  const seal = (position: Position): string => {
    const block = Buffer.alloc(BYTES)
    block.writeBigUInt64BE(BigInt(position))
    return createCipheriv('aes-256-ecb', key, null).setAutoPadding(false).update(block).toString('base64url')
  }
  const open = (token: string): Position | undefined => {
    if (!TOKEN.test(token)) return undefined
    const cipher = createDecipheriv('aes-256-ecb', key, null).setAutoPadding(false)
    const block = cipher.update(Buffer.from(token, 'base64url'))
    const position = Number(block.readBigUInt64BE())
    return block.readBigUInt64BE(BYTES / 2) === 0n && Number.isSafeInteger(position) ? position : undefined
  }
  return { open: (header) => followerOf(header, open), seal }
}

function followerOf(
  header: string | readonly string[] | undefined,
  open: (token: string) => Position | undefined,
): Follower {
  const tokens =
    header === undefined
      ? []
      : [header]
          .flat()
          .join(',')
          .split(/\s*,\s*/)
  const positions = tokens.length > TOKENS_MAX ? [] : tokens.map(open)
  let position: Position | undefined
  if (!positions.includes(undefined)) for (const each of positions) position = Math.max(position ?? 0, each ?? 0)
  return { position, shown: tokens.length === 1 ? position : undefined }
}
