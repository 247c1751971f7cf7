import { no, ok, type Result } from '@seaworthy/core'
import type { z } from 'zod'

/** Words of the schema about what is wrong, for the engine that is asked to mend it. */
export type Unusable = { readonly fault: string }

const FAULTS_MAX = 10
const fence = /^\s*```(?:json)?\s*\n([\s\S]*?)\n?```\s*$/

/** What an engine said as a value of the task, or what is wrong with it. Nothing else of it is ever used. */
export function readAnswerText(output: z.ZodType, text: string): Result<unknown, 'unusable'> & Partial<Unusable> {
  const parsed = isPlainText(output) ? ok(text) : parseJson(text)
  if (!parsed.ok) return { ...no('unusable'), fault: 'It is not JSON.' }
  const result = output.safeParse(parsed.value)
  if (result.success) return ok(result.data)
  const faults = result.error.issues
    .slice(0, FAULTS_MAX)
    .map(({ path, message }) => `${path.join('.') || 'all'}: ${message}`)
  return { ...no('unusable'), fault: faults.join('\n') }
}

/** Engines are asked for JSON for everything but a text. */
export const isPlainText = (output: z.ZodType): boolean => output.type === 'string'

function parseJson(text: string): Result<unknown, 'unusable'> {
  try {
    return ok(JSON.parse(fence.exec(text)?.[1] ?? text))
  } catch {
    return no('unusable')
  }
}

/** Without the words of the engine: it sees its own answer before this one. */
export const mendRequest = (fault: string): string =>
  `Your answer cannot be used:\n${fault}\nAnswer again, with JSON that fits the schema and nothing else.`
