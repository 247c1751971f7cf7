import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { AiAsk, AiTask } from './task.ts'

/**
 * A value as text that no other value has: each part says its kind and its length, names are in order. `undefined` is as if
 * it were not there.
 */
export function canonical(value: unknown): string {
  switch (typeof value) {
    case 'undefined':
      return 'n'
    case 'string':
      return `s${value.length}:${value}`
    case 'boolean':
      return value ? 't' : 'f'
    case 'number':
    case 'bigint':
      return canonicalNumber(Object.is(value, -0) ? '0' : String(value))
    case 'object':
      return value === null ? 'n' : canonicalObject(value)
    default:
      throw new Error(`a question cannot hold a ${typeof value}`)
  }
}

const canonicalNumber = (text: string): string => `d${text.length}:${text}`

function canonicalObject(value: object): string {
  if (value instanceof Uint8Array) return `b${value.length}:${createHash('sha256').update(value).digest('hex')}`
  if (value instanceof Date) return `i${canonicalNumber(String(value.getTime()))}`
  if (Array.isArray(value)) return `a${value.length}:${value.map(canonical).join('')}`
  return canonicalRecord(value as Readonly<Record<string, unknown>>)
}

function canonicalRecord(value: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(value)
    .filter((name) => value[name] !== undefined)
    .sort()
  return `o${names.length}:${names.map((name) => canonical(name) + canonical(value[name])).join('')}`
}

/** The schema as others understand it. What it cannot say there is checked here all the same. */
export const jsonSchemaOf = (schema: z.ZodType, io: 'input' | 'output'): Readonly<Record<string, unknown>> =>
  z.toJSONSchema(schema, { io, unrepresentable: 'any' })

/** What is the same for all questions of a task: everything but what is asked. `engines` are those that are set up, in order. */
export function baseKeyOf(task: AiTask, engines: readonly (readonly [name: string, model: string])[]): string {
  return canonical([
    'ai1',
    task.name,
    task.version,
    task.instructions,
    jsonSchemaOf(task.input, 'input'),
    jsonSchemaOf(task.output, 'input'),
    task.temperature ?? 0,
    task.budget.answerTokensMax,
    engines,
  ])
}

/** SHA-256 over everything that the answer can depend on, as it is asked now. Two questions have one only when they are equal. */
export function questionKey(base: string, accountId: string, input: unknown, { text, images }: AiAsk): string {
  const whole = canonical([base, accountId, input, text, images?.map(({ type, bytes }) => [type, bytes]) ?? []])
  // Each half of a surrogate counts as it is: in UTF-8 all lone ones would look the same.
  return createHash('sha256').update(whole, 'utf16le').digest('base64url')
}
