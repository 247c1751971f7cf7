import { z } from 'zod'

/** An answer that is saved as a file. It is sent as it is made, so it may be longer than memory. */
export interface FileAnswer {
  readonly type: string
  /** What the browser calls it: letters, digits, dots and hyphens. */
  readonly name: string
  readonly chunks: AsyncIterable<string | Uint8Array>
}

const typesOf = new WeakMap<object, readonly string[]>()

/** The schema of an answer that is a file of one of these types. */
export function fileReply(...types: readonly string[]): z.ZodType<FileAnswer> {
  const schema = z.custom<FileAnswer>((value) => typeof value === 'object' && value !== null && 'chunks' in value)
  typesOf.set(schema, types)
  return schema
}

/** Undefined when the answer is JSON. */
export const fileTypesOf = (schema: z.ZodType): readonly string[] | undefined => typesOf.get(schema)
