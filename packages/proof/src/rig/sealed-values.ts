/** `sw1.<version>.<base64url of salt, nonce, cipher text, tag>`, as docs/security/encryption.md has it. */
export interface SealedParts {
  readonly prefix: string
  readonly bytes: Buffer
  readonly salt: string
  readonly nonce: string
}

export function partsOf(sealed: string): SealedParts {
  const at = sealed.lastIndexOf('.') + 1
  const bytes = Buffer.from(sealed.slice(at), 'base64url')
  return {
    prefix: sealed.slice(0, at),
    bytes,
    salt: bytes.toString('hex', 0, 16),
    nonce: bytes.toString('hex', 16, 28),
  }
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** The value with each of its bytes changed in turn, and with each of its letters changed to the next in turn. */
export function changesOf(sealed: string): string[] {
  const { prefix, bytes } = partsOf(sealed)
  const byBytes = [...bytes].map((_, at) => {
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ 1
    return prefix + changed.toString('base64url')
  })
  const byLetters = [...sealed].map((letter, at) => {
    const next = letters[(letters.indexOf(letter) + 1) % letters.length]
    return sealed.slice(0, at) + next + sealed.slice(at + 1)
  })
  return [...byBytes, ...byLetters, sealed.slice(0, -1), `${sealed}A`]
}
