import { randomBytes } from 'node:crypto'
import { isId, Secret } from '@seaworthy/core'
import { isSensitiveName, redactText } from './patterns.ts'
import { createPseudonyms, type Pseudonyms } from './pseudonyms.ts'

const REDACTED = '[REDACTED]'
const DEPTH_MAX = 6
const KEYS_MAX = 100
const FRAMES_MAX = 11

/** What a logger does with fields before they are written. */
export type Redact = (value: unknown) => unknown

export interface RedactSettings {
  /** Names of columns that tables declare as personal, whatever they are called. */
  readonly personal?: ReadonlySet<string>
  readonly pseudonym: Pseudonyms
}

/** Fields whose value is the id of a person or an account. */
const ofPeople = /^(user|account|owner|member|chain)(id)?$/

interface Rules extends RedactSettings {
  readonly personal: ReadonlySet<string>
}

/**
 * Makes copies that may be logged: secret and personal values are gone by type, by name and by pattern in free text;
 * ids of people are pseudonyms.
 */
export function createRedact({ personal = new Set(), pseudonym }: RedactSettings): Redact {
  const rules = { personal, pseudonym }
  return (value) => redactValue(value, 0, rules)
}

/** Without the secret of an installation: pseudonyms are of this process alone. */
export const redact: Redact = createRedact({ pseudonym: createPseudonyms(new Secret(randomBytes(32).toString('hex'))) })

function redactValue(value: unknown, depth: number, rules: Rules): unknown {
  if (typeof value === 'string') return redactText(value)
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  if (value instanceof Secret) return REDACTED
  if (value instanceof Error) return redactError(value, depth, rules)
  if (value instanceof URL) return redactText(value.href)
  return depth >= DEPTH_MAX ? '[deep]' : redactInner(value, depth, rules)
}

function redactInner(value: object, depth: number, rules: Rules): unknown {
  if (Array.isArray(value)) return redactList(value, depth, rules)
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`
  if (value instanceof Map || value instanceof Headers) return redactFields([...value.entries()], depth, rules)
  if (value instanceof Set) return redactList([...value], depth, rules)
  return redactFields(entriesOf(value), depth, rules)
}

/** `['password', 'x']` is a field too, and so is `['Cookie', 'x', 'Accept', 'y']`, the way of raw headers. */
function redactList(list: readonly unknown[], depth: number, rules: Rules): unknown[] {
  return list.slice(0, KEYS_MAX).map((item, i) => {
    const before = i > 0 ? list[i - 1] : undefined
    const isValue = i % 2 === 1 && typeof item === 'string' && typeof before === 'string' && before.length <= 40
    return isValue && isHidden(before, rules) ? REDACTED : redactValue(item, depth + 1, rules)
  })
}

function entriesOf(value: object): [string, unknown][] {
  try {
    return Object.entries(value)
  } catch {
    return [['unreadable', true]]
  }
}

function redactFields(entries: readonly (readonly [unknown, unknown])[], depth: number, rules: Rules) {
  const out: Record<string, unknown> = {}
  for (const [name, item] of entries.slice(0, KEYS_MAX)) {
    const key = String(name)
    if (isHidden(key, rules)) out[redactText(key)] = item === undefined || item === null ? item : REDACTED
    else if (typeof item === 'string' && isId(item) && ofPeople.test(key.toLowerCase().replace(/[^a-z]/g, '')))
      out[key] = rules.pseudonym(item)
    else out[redactText(key)] = redactValue(item, depth + 1, rules)
  }
  return out
}

const isHidden = (name: string, { personal }: Rules): boolean => isSensitiveName(name) || personal.has(name)

function redactError(error: Error, depth: number, rules: Rules): Record<string, unknown> {
  const { code } = error as { code?: unknown }
  const { errors } = error as { errors?: unknown }
  const frames = error.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? []
  const inner = depth < DEPTH_MAX
  return {
    name: redactText(error.name),
    message: redactText(error.message),
    ...(typeof code === 'string' ? { code: redactText(code) } : {}),
    stack: redactText(frames.slice(0, FRAMES_MAX).join('\n')),
    ...(error.cause !== undefined && inner ? { cause: redactValue(error.cause, depth + 1, rules) } : {}),
    ...(Array.isArray(errors) && inner ? { errors: redactList(errors, depth + 1, rules) } : {}),
  }
}
