import { createInterface } from 'node:readline/promises'
import { type RunbookName, runbookNames } from '@seaworthy/core'
import { checks, type Followed, followRunbook, runbooks, type StepReport } from '@seaworthy/ops'
import { type InstallationFlags, withInstallation } from './installation.ts'
import { mark } from './marks.ts'

export type RunbookFlags = InstallationFlags & {
  readonly about?: string
  readonly yes?: boolean
  readonly json?: boolean
}

/** `seaworthy runbook`: exit code 0 when nothing was found, or all is well in the end. */
export async function runRunbook(given: string | undefined, flags: RunbookFlags): Promise<void> {
  if (given === undefined) return printList(flags.json === true)
  const name = toName(given)
  const runbook = runbooks[name]
  if (!flags.json) process.stdout.write(`${runbook.title}\n\n`)
  const isAsking = process.stdin.isTTY === true && !flags.json
  const followed = await withInstallation(flags, (here) =>
    followRunbook(here, name, runbook, {
      about: flags.about,
      ask: async (text, command) =>
        flags.yes === true || (isAsking && (await agree(`${text}\n    seaworthy ${command.join(' ')}\nDo it? [y/N] `))),
      wait: async (text) => isAsking && !flags.yes && agree(`${text}\nDone? [y/N] `),
      tell: (report) => void (flags.json ? undefined : process.stdout.write(`${lineOf(report)}\n`)),
    }),
  )
  process.stdout.write(flags.json ? `${JSON.stringify(followed, null, 2)}\n` : `\n${endOf(followed)}\n`)
  process.exitCode = followed.outcome === 'open' ? 1 : 0
}

function toName(given: string): RunbookName {
  const name = runbookNames.find((known) => known === given)
  if (!name) throw new Error(`There is no runbook ${given}.\n    HINT: seaworthy runbook   # lists them`)
  return name
}

function printList(isJson: boolean): void {
  const all = runbookNames.map((name) => ({ name, title: runbooks[name].title, symptom: runbooks[name].symptom }))
  const width = Math.max(...all.map(({ name }) => name.length))
  process.stdout.write(
    isJson
      ? `${JSON.stringify(all, null, 2)}\n`
      : `${all.map(({ name, title, symptom }) => `${name.padEnd(width)}  ${title}\n${' '.repeat(width)}  when ${symptom}`).join('\n')}\n`,
  )
}

const lineOf = ({ verdict, text, found, next, check }: StepReport): string =>
  [
    `${mark(verdict)}  ${check ? `${checks[check].title}: ` : ''}${check ? found : text}`,
    ...(check ? [] : found.split('\n').map((line) => `            ${line}`)),
    ...(next ? [`            > ${next}`] : []),
  ].join('\n')

const endOf = ({ outcome, next }: Followed): string =>
  outcome === 'nothing'
    ? 'Nothing was found.'
    : outcome === 'mended'
      ? 'All is well again.'
      : `Not over yet.${next ? ` Next: ${next}` : ''}`

async function agree(question: string): Promise<boolean> {
  const asked = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await asked.question(question)
  asked.close()
  return /^y(es)?$/i.test(answer.trim())
}
