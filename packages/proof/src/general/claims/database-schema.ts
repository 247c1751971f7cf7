import { callsForEveryRow, schemaMistakes } from '../catalogue.ts'
import { defineGeneralClaim } from '../claim.ts'
import type { Finding } from '../finding.ts'

const PER_ROW = 'a policy calls a function for every row'
const mistakes = {
  'a time has no zone': [11],
  'a status may be anything': [11],
  'an index repeats the beginning of another': [16],
  'a foreign key has no index': [],
  'money is a floating number': [],
  'billing rows vanish with the person': [8],
  'a plan stands in two tables': [10],
  [PER_ROW]: [13],
  'partitions end soon': [19],
} as const
type Mistake = keyof typeof mistakes

export const claim = defineGeneralClaim({
  id: 'GEN-30',
  says: 'The schema keeps times with their zone, states from a list, money exact, billing for ever, and room for next month',
  mistakes,
  answers: ['Z4', 'D7', 'D8', 'D12'],
  needs: ['database'],
  find: async ({ database }) => {
    const client = await database()
    const findings: Finding<Mistake>[] = []
    for (const mistake of Object.keys(mistakes) as Mistake[]) {
      const { rows } = await client.query<{ about: string; row: string }>(schemaMistakes[mistake])
      const bad = mistake === PER_ROW ? rows.filter(({ row }) => callsForEveryRow(row)) : rows
      findings.push(...bad.map(({ about, row }): Finding<Mistake> => ({ mistake, about, row })))
    }
    const { rows } = await client.query<{ count: number }>(schemaMistakes.tables)
    return { findings, met: { 'there are tables': (rows[0]?.count ?? 0) > 0 } }
  },
})
