import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DAY } from '@seaworthy/core'
import type { Report } from '../result.ts'

/** A report that somebody else can check: signed by the installation, and good for a while. */
export interface Receipt {
  readonly report: Report
  readonly expiresAt: string
  /** Ed25519 public key, SPKI, base64. */
  readonly key: string
  /** Over the JSON of `{ report, expiresAt, key }`, base64. */
  readonly signature: string
}

const LIFE_MS = 30 * DAY
const OWNER_ONLY = 0o600

/** Signs with the key of this installation, which is made at the first receipt. */
export function signReport(report: Report, directory: string, nowMs = Date.now()): Receipt {
  const key = openKey(directory)
  const body = {
    report,
    expiresAt: new Date(nowMs + LIFE_MS).toISOString(),
    key: createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64'),
  }
  return { ...body, signature: sign(null, Buffer.from(JSON.stringify(body)), key).toString('base64') }
}

export type ReceiptState = 'valid' | 'expired' | 'forged'

/** @param trustedKey The public key that it must be signed with; without it only its integrity is checked. */
export function checkReceipt(receipt: Receipt, trustedKey?: string, nowMs = Date.now()): ReceiptState {
  const { report, expiresAt, key, signature } = receipt
  if (trustedKey && trustedKey !== key) return 'forged'
  try {
    const publicKey = createPublicKey({ key: Buffer.from(key, 'base64'), type: 'spki', format: 'der' })
    const body = Buffer.from(JSON.stringify({ report, expiresAt, key }))
    if (!verify(null, body, publicKey, Buffer.from(signature, 'base64'))) return 'forged'
  } catch {
    return 'forged'
  }
  return nowMs > Date.parse(expiresAt) ? 'expired' : 'valid'
}

function openKey(directory: string): KeyObject {
  const path = join(directory, 'signing-key.pem')
  if (existsSync(path)) return createPrivateKey(readFileSync(path))
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const { privateKey } = generateKeyPairSync('ed25519')
  writeFileSync(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: OWNER_ONLY })
  return privateKey
}
