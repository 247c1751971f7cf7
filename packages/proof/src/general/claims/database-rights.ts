import { rightsMistakes } from '../catalogue.ts'
import { defineGeneralClaim } from '../claim.ts'
import type { Finding } from '../finding.ts'

const mistakes = {
  "the app's role stands above row-level security": [5],
  'row-level security does not bind the owner': [5],
  'a table of people has no row-level security': [18],
  "the audit can be rewritten by the app's role": [91],
  "the app's role may change the schema": [92],
} as const
type Mistake = keyof typeof mistakes

export const claim = defineGeneralClaim({
  id: 'GEN-31',
  says: "The app's database role has no power over policies, schema and audit, and every table of people has its policy",
  mistakes,
  answers: ['Z4', 'I6', 'A4', 'D6', 'ASVS 13.2.2'],
  needs: ['database', 'databaseRole'],
  find: async ({ config, database }) => {
    const client = await database()
    const role = decodeURIComponent(new URL(config.databaseRole ?? '').username)
    const findings: Finding<Mistake>[] = []
    for (const mistake of Object.keys(mistakes) as Mistake[]) {
      const { rows } = await client.query<{ about: string; row: string }>(rightsMistakes[mistake], [role])
      findings.push(...rows.map(({ about, row }) => ({ mistake, about, row })))
    }
    const { rows } = await client.query('select 1 from pg_roles where rolname = $1', [role])
    return { findings, met: { 'the role is there': rows.length === 1 } }
  },
})
