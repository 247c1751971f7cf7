import { type Answer, crop } from './answer.ts'

/** A mistake that was seen, with what shows it. */
export interface Finding<Mistake extends string = string> {
  readonly mistake: Mistake
  /** Which page, route, setting, table or column. */
  readonly about?: string
  readonly request?: string
  readonly answer?: string
  readonly row?: string
}

/** A finding that an answer shows. */
export function shown<Mistake extends string>(
  mistake: Mistake,
  answer: Answer,
  more: { readonly about?: string; readonly answer?: string; readonly row?: string } = {},
): Finding<Mistake> {
  return { mistake, request: answer.request, answer: crop(`${answer.status} ${answer.text}`), ...more }
}

export function lineOf({ mistake, about, request, answer, row }: Finding, numbers: readonly number[]): string {
  const name = about ? `${mistake}: ${about}` : mistake
  const evidence = [
    request ? `request ${request}` : '',
    answer ? `answer ${answer}` : '',
    row ? `row ${row}` : '',
  ].filter(Boolean)
  return `${name}${numbers.length ? ` (mistake ${numbers.join(', ')})` : ''} | ${evidence.join(' | ')}`
}
