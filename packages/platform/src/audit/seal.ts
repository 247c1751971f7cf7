import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import type { Secret } from '@seaworthy/core'
import { type AuditLine, canonicalText } from './line.ts'

/** Binds a line to its place: chain, number, content, and the seal before it. */
export interface Seal {
  readonly chain: string
  readonly seq: number
  readonly lineId: string
  readonly lineMac: Buffer
  readonly previous: Buffer
  readonly mac: Buffer
  /** UTC, with milliseconds. */
  readonly sealedAt: string
}

/** Makes and checks seals. Whoever has not the key can do neither. */
export interface SealKey {
  seal(head: ChainHead, line: AuditLine, sealedAt: string): Seal
  /** That the seal was made with this key and not changed since. */
  isGenuine(seal: Seal): boolean
  /** That the line is what was sealed. */
  holds(seal: Seal, line: AuditLine): boolean
}

/** Where a chain ends. */
export interface ChainHead {
  readonly chain: string
  readonly seq: number
  readonly mac: Buffer
}

const MAC_BYTES = 32

export const emptyChain = (chain: string): ChainHead => ({ chain, seq: 0, mac: Buffer.alloc(MAC_BYTES) })

/** The key is derived, so that the secret serves nothing else by accident. */
export function createSealKey(secret: Secret): SealKey {
  const key = Buffer.from(hkdfSync('sha256', secret.reveal(), '', 'seaworthy audit chain 1', MAC_BYTES))
  const mac = (kind: string, ...parts: readonly (string | Buffer)[]): Buffer => {
    const hmac = createHmac('sha256', key).update(`${kind}\0`)
    for (const part of parts) hmac.update(part)
    return hmac.digest()
  }
  const lineMac = (line: AuditLine): Buffer => mac('line', canonicalText(line))
  const sealMac = (seal: Omit<Seal, 'mac'>): Buffer =>
    mac('seal', `${seal.chain}\0${seal.seq}\0${seal.lineId}\0${seal.sealedAt}\0`, seal.lineMac, seal.previous)
  return {
    seal: (head, line, sealedAt) => {
      const seal = {
        chain: head.chain,
        seq: head.seq + 1,
        lineId: line.id,
        lineMac: lineMac(line),
        previous: head.mac,
        sealedAt,
      }
      return { ...seal, mac: sealMac(seal) }
    },
    isGenuine: (seal) => isEqual(sealMac(seal), seal.mac),
    holds: (seal, line) => isEqual(lineMac(line), seal.lineMac),
  }
}

const isEqual = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b)
