import { Secret } from '@seaworthy/core'

const REDACTED = '[REDACTED]'
const DEPTH_MAX = 6
const KEYS_MAX = 100
const TEXT_MAX = 4_096

/** Names that mean personal or secret in any case style: `userEmail`, `user_email` and `USER-EMAIL` are one. */
const names =
  /password|passphrase|secret|token|authori[sz]ation|cookie|apikey|privatekey|credential|signature|email|phone|address|firstname|lastname|fullname|displayname|birth|iban|cardnumber|cvc|filename/

const patterns: readonly (readonly [RegExp, string])[] = [
  [/eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, '[REDACTED:token]'],
  [/\b(Bearer|Basic)\s+[\w+/=.~-]{8,}/gi, '$1 [REDACTED]'],
  [/([a-z]+:\/\/[^/\s:@]*:)[^/\s@]+@/gi, '$1[REDACTED]@'],
  [/[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g, '[REDACTED:email]'],
  [/\b(?:\d[ -]?){13,19}\b/g, '[REDACTED:number]'],
  [/([?&](?:token|key|secret|password|signature|sig|code)=)[^&\s"]+/gi, '$1[REDACTED]'],
]

/** A copy that may be logged: secret and personal values are gone by type, by name and by pattern in free text. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value)
  if (value instanceof Secret) return REDACTED
  if (value instanceof Error) return redactError(value, depth)
  if (value instanceof Date || typeof value !== 'object' || value === null) return value
  if (depth >= DEPTH_MAX) return '[deep]'
  if (Array.isArray(value)) return value.slice(0, KEYS_MAX).map((item) => redact(item, depth + 1))
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  return redactFields(value, depth)
}

/** Patterns of secrets and personal data in free text, replaced. */
export function redactText(text: string): string {
  let out = text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}...` : text
  for (const [pattern, replacement] of patterns) out = out.replace(pattern, replacement)
  return out
}

function redactFields(value: object, depth: number): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value).slice(0, KEYS_MAX)) {
    out[key] = names.test(key.toLowerCase().replace(/[^a-z]/g, '')) ? REDACTED : redact(item, depth + 1)
  }
  return out
}

function redactError(error: Error, depth: number): Record<string, unknown> {
  const code = (error as { code?: unknown }).code
  return {
    name: error.name,
    message: redactText(error.message),
    ...(typeof code === 'string' ? { code } : {}),
    stack: redactText(error.stack?.split('\n').slice(1, 12).join('\n') ?? ''),
    ...(error.cause !== undefined && depth < DEPTH_MAX ? { cause: redact(error.cause, depth + 1) } : {}),
  }
}

/** The network of an address: the last two octets of IPv4, all but 32 bits of IPv6 are dropped. */
export function maskAddress(address: string): string {
  const v4 = address.replace(/^::ffff:/, '')
  if (v4.includes('.')) return `${v4.split('.').slice(0, 2).join('.')}.x.x`
  return `${v4.split(':').slice(0, 2).join(':')}::`
}
