import fc from 'fast-check'
import type { JsonSchema } from './api-document.ts'

/** Values that a documented schema allows. Texts hold no NUL: no body may. */
export function valuesOf(schema: JsonSchema): fc.Arbitrary<unknown> {
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map(valuesOf))
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  if (schema.type === undefined) return fc.jsonValue().filter((value) => isPlain(JSON.stringify(value)))
  const make = byType[schema.type]
  if (!make) throw new Error(`no values are known for ${JSON.stringify(schema)}`)
  return make(schema)
}

const byType: Readonly<Record<string, (schema: JsonSchema) => fc.Arbitrary<unknown>>> = {
  object: (schema) => objectsOf(schema),
  string: (schema) => textsOf(schema),
  boolean: () => fc.boolean(),
  integer: ({ minimum = 0, maximum = 1_000 }) => fc.integer({ min: minimum, max: maximum }),
  array: ({ items = {}, minItems = 0, maxItems = 10 }) =>
    fc.array(valuesOf(items), { minLength: minItems, maxLength: maxItems }),
}

function objectsOf({ properties = {}, required = [] }: JsonSchema): fc.Arbitrary<unknown> {
  const values = Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, valuesOf(schema)]))
  return fc.record(values, { requiredKeys: [...required] })
}

function textsOf({ format, pattern, minLength = 0, maxLength = 200 }: JsonSchema): fc.Arbitrary<unknown> {
  if (format === 'uuid') return fc.uuid({ version: 7 })
  const fits = (text: string): boolean =>
    text.length >= minLength && text.length <= maxLength && !text.includes('\0') && !text.includes('__proto__')
  if (pattern)
    return fc
      .stringMatching(new RegExp(longEnough(pattern, minLength)))
      .filter((text) => fits(text) && fits(text.trim()))
  // Some routes take names without the space around them.
  return fc.string({ minLength, maxLength, unit: 'grapheme-ascii' }).filter((text) => fits(text.trim()))
}

/** `+` at the end is usually a handful: of those that must be long, hardly any would be. */
const longEnough = (pattern: string, least: number): string =>
  least > 1 ? pattern.replace(/\+\$$/, `{${least},${least + 40}}$`) : pattern

/** No body may hold these, wherever they stand. */
const isPlain = (text: string): boolean => !/__proto__|\\u0000/.test(text)

/** Values that a schema of an object forbids: made from one that it allows, by one change. */
export function mistakesOf(schema: JsonSchema): fc.Arbitrary<unknown> {
  const { properties = {}, required = [] } = schema
  const good = objectsOf(schema) as fc.Arbitrary<Record<string, unknown>>
  const changes: fc.Arbitrary<unknown>[] = [
    fc.oneof(
      fc.integer(),
      fc.constant(null),
      fc.boolean(),
      fc.array(good, { maxLength: 2 }),
      fc.string({ maxLength: 20 }),
    ),
  ]
  if (schema.additionalProperties === false)
    changes.push(
      fc
        .tuple(good, fc.string({ minLength: 1, maxLength: 20 }), fc.jsonValue())
        .filter(([, name]) => !(name in properties))
        .map(([value, name, extra]) => ({ ...value, [name]: extra })),
    )
  for (const name of required)
    changes.push(good.map((value) => Object.fromEntries(Object.entries(value).filter(([key]) => key !== name))))
  for (const [name, inner] of Object.entries(properties))
    changes.push(fc.tuple(good, wrongFor(inner)).map(([value, wrong]) => ({ ...value, [name]: wrong })))
  return fc.oneof(...changes)
}

function wrongFor(schema: JsonSchema): fc.Arbitrary<unknown> {
  const { minimum, maximum, minLength, maxLength, format, enum: choices } = schema
  const wrong: unknown[] = [null, true, [], {}, 7.5, '7'].filter((value) => whyNot(schema, value))
  if (minimum !== undefined) wrong.push(minimum - 1)
  if (maximum !== undefined) wrong.push(maximum + 1, maximum + 0.5)
  if (minLength) wrong.push('x'.repeat(minLength - 1))
  if (maxLength !== undefined) wrong.push('x'.repeat(maxLength + 1))
  if (format || choices) wrong.push('neither', '')
  return fc.constantFrom(...wrong)
}

/** Where a value differs from a schema; undefined when it keeps to it. */
export function whyNot(schema: JsonSchema, value: unknown, at = '$'): string | undefined {
  if (schema.anyOf) return schema.anyOf.some((one) => !whyNot(one, value, at)) ? undefined : `${at} is none of those`
  if (schema.enum && !schema.enum.includes(value)) return `${at} is not in the list`
  if (schema.type && !isOf(schema.type, value)) return `${at} is no ${schema.type}`
  if (Array.isArray(value)) return first(value.map((item, i) => whyNot(schema.items ?? {}, item, `${at}[${i}]`)))
  if (schema.type !== 'object') return undefined
  const { properties = {}, required = [] } = schema
  const entries = Object.entries(value as Record<string, unknown>)
  const missing = required.find((name) => !entries.some(([key]) => key === name))
  if (missing) return `${at}.${missing} is missing`
  return first(
    entries.map(([name, inner]) =>
      properties[name] ? whyNot(properties[name], inner, `${at}.${name}`) : `${at}.${name} is not documented`,
    ),
  )
}

const first = (reasons: readonly (string | undefined)[]): string | undefined => reasons.find((reason) => reason)

function isOf(type: string, value: unknown): boolean {
  if (type === 'null') return value === null
  if (type === 'array') return Array.isArray(value)
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value)
  return typeof value === type
}
