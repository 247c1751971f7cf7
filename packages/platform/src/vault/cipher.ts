import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'

const KEY_BYTES = 32
const SALT_BYTES = 16
const NONCE_BYTES = 12
const TAG_BYTES = 16
const HEADER_BYTES = SALT_BYTES + NONCE_BYTES

/**
 * AES-256-GCM over `plain`, bound to `context`: salt, nonce, cipher text and tag as base64url. Each value has a key of
 * its own, derived from a random salt, so that no key ever comes near the number of random nonces that GCM allows.
 */
export function encrypt(key: Buffer, context: Buffer, plain: Buffer): string {
  const header = randomBytes(HEADER_BYTES)
  const cipher = createCipheriv('aes-256-gcm', valueKey(key, header), header.subarray(SALT_BYTES), {
    authTagLength: TAG_BYTES,
  })
  cipher.setAAD(context)
  return Buffer.concat([header, cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString('base64url')
}

/** The text, or undefined when one bit of it, of the key or of the context is not what it was. */
export function decrypt(key: Buffer, context: Buffer, text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  // One spelling only: base64 has spare bits at its end, and a changed value must never pass for the same.
  if (bytes.length < HEADER_BYTES + TAG_BYTES || bytes.toString('base64url') !== text) return undefined
  const nonce = bytes.subarray(SALT_BYTES, HEADER_BYTES)
  const decipher = createDecipheriv('aes-256-gcm', valueKey(key, bytes), nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(context)
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
  try {
    return Buffer.concat([decipher.update(bytes.subarray(HEADER_BYTES, -TAG_BYTES)), decipher.final()])
  } catch {
    return undefined
  }
}

/** Parts one after the other, each with its length before it: no two lists of parts give the same bytes. */
export function lengthPrefixed(...parts: readonly string[]): Buffer {
  const pieces = parts.flatMap((part) => {
    const bytes = Buffer.from(part)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    return [length, bytes]
  })
  return Buffer.concat(pieces)
}

export const newKey = (): Buffer => randomBytes(KEY_BYTES)

/** HKDF's second step with one block: the key is uniform already. */
function valueKey(key: Buffer, header: Buffer): Buffer {
  return createHmac('sha256', key)
    .update('seaworthy value')
    .update(header.subarray(0, SALT_BYTES))
    .update('\x01')
    .digest()
}
