import type { FieldFault } from '@seaworthy/core'
import type { FieldChoice } from '../../definition/index.ts'

const SHOWN_MAX = 50

/** `fields=id,name`, or the name several times. */
export function readFields(
  given: unknown,
  { names }: FieldChoice,
  faults: FieldFault[],
): ReadonlySet<string> | undefined {
  const wanted = [given].flat().flatMap((value) => String(value).split(','))
  const unknown = wanted.find((name) => !names.includes(name))
  if (unknown === undefined) return new Set(wanted)
  faults.push({
    path: 'query.fields',
    message: `${JSON.stringify(unknown.slice(0, SHOWN_MAX))} is not one of ${names.join(', ')}`,
  })
  return undefined
}
