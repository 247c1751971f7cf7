import type { RunbookName } from '@seaworthy/core'
import { checks } from '../doctor/index.ts'
import type { Runbook, Step } from './runbook.ts'

/** For the document: the list of the symptoms, and each runbook with its steps. */
export const describeRunbooks = (all: Readonly<Record<RunbookName, Runbook>>): string =>
  `${[
    '| what is seen | runbook |',
    '| --- | --- |',
    ...Object.entries(all).map(([name, { symptom }]) => `| ${symptom} | [${name}](#${name}) |`),
    ...Object.entries(all).flatMap(([name, { title, steps }]) => [
      '',
      `## ${name}`,
      '',
      `${title}.`,
      '',
      ...steps.map(lineOf),
    ]),
  ].join('\n')}\n`

const lineOf = (step: Step): string => {
  switch (step.kind) {
    case 'look':
      return `1. looks at **${checks[step.check].title}**: ${step.text}`
    case 'confirm':
      return `1. at the end **${checks[step.check].title}** must be well: ${step.text}`
    case 'list':
      return `1. shows: ${step.text} (\`seaworthy ${step.command.join(' ')}\`)`
    case 'act':
      return `1. asks, then does: ${step.text} (\`seaworthy ${step.command.join(' ')}\`)`
    case 'human':
      return `1. somebody: ${step.text}. Expect: ${step.expect}`
  }
}
