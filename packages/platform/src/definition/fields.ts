import { z } from 'zod'
import type { Route } from './route.ts'

/** What `fields=` may choose of a route's answers. */
export interface FieldChoice {
  readonly names: readonly string[]
  /** The names are those of each item of a list; what stands beside the items always comes. */
  readonly ofItems: boolean
}

/** Out of the declared answer, so that choosing never shows more. Undefined where there is nothing to choose. */
export function fieldChoiceOf(route: Pick<Route, 'method' | 'reply' | 'query'>): FieldChoice | undefined {
  const answer = route.reply[200]
  if (route.method !== 'GET' || !(answer instanceof z.ZodObject)) return undefined
  if (route.query instanceof z.ZodObject && 'fields' in route.query.shape) return undefined
  const { items } = answer.shape
  const item = items instanceof z.ZodArray ? items.element : undefined
  if (item instanceof z.ZodObject) return { names: Object.keys(item.shape), ofItems: true }
  return { names: Object.keys(answer.shape), ofItems: false }
}

/** Only these fields of an answer that has been checked. */
export function chooseFields(answer: unknown, chosen: ReadonlySet<string>, { ofItems }: FieldChoice): unknown {
  if (!ofItems) return pick(answer, chosen)
  const list = answer as { readonly items: readonly unknown[] }
  return { ...list, items: list.items.map((item) => pick(item, chosen)) }
}

const pick = (value: unknown, chosen: ReadonlySet<string>): unknown =>
  Object.fromEntries(Object.entries(value as object).filter(([name]) => chosen.has(name)))
