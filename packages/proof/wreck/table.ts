import type { WreckMistake } from './mistakes/index.ts'

/** The list for the README. */
export function tableOf(mistakes: readonly WreckMistake[]): string {
  const rows = mistakes.map(
    ({ says, numbers, claim, mistake, about, file }) =>
      `| ${cell(says)} | ${numbers.join(', ')} | ${claim} | ${cell(about ? `${mistake}: ${about}` : mistake)} | ${file} |`,
  )
  return ['| It does this | Of part 2 | Found by | As | In `app/` |', '| --- | --- | --- | --- | --- |', ...rows].join(
    '\n',
  )
}

const cell = (text: string): string => text.replaceAll('|', '\\|')
