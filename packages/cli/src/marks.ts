import { styleText } from 'node:util'
import type { StepReport } from '@seaworthy/ops'

const WIDTH = 10
const marks = {
  ok: ['ok', 'green'],
  warn: ['look after', 'yellow'],
  bad: ['BAD', 'red'],
  unknown: ['not seen', 'magenta'],
  none: ['-', 'gray'],
  todo: ['TO DO', 'cyan'],
  left: ['left out', 'gray'],
} as const satisfies Readonly<Record<StepReport['verdict'], readonly [string, Parameters<typeof styleText>[0]]>>

/** A word of fixed width; coloured on a terminal only. */
export function mark(verdict: StepReport['verdict']): string {
  const [word, colour] = marks[verdict]
  const padded = word.padEnd(WIDTH)
  return process.stdout.isTTY ? styleText(colour, padded) : padded
}
