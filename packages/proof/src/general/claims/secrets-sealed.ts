import type { DatabaseClient } from '../../rig/database.ts'
import { type Answer, isOk } from '../answer.ts'
import { defineGeneralClaim } from '../claim.ts'
import { type Finding, shown } from '../finding.ts'
import { newMark } from '../route.ts'
import type { Somebody } from '../somebody.ts'

const mistakes = {
  'equal secrets are sealed alike': [22],
  'a sealed secret can be altered unnoticed': [23],
  'a sealed secret can be moved to another row': [89],
} as const
type Mistake = keyof typeof mistakes

export const claim = defineGeneralClaim({
  id: 'GEN-29',
  says: 'Sealed secrets differ even when they are equal, and cannot be altered or moved unnoticed',
  mistakes,
  answers: ['Z4', 'E1', 'E3', 'E6', 'ASVS 11.3.2', 'ASVS 11.3.3'],
  needs: ['people', 'database', 'sealed'],
  find: async ({ config: { sealed }, newcomer, database }) => {
    if (!sealed) throw new Error('nothing is sealed')
    const vault = vaultOf(await database(), sealed.column)
    const secret = `${newMark()} ${newMark()} ${newMark()}`
    const one = await newcomer()
    const write = (): Promise<Answer> => one.ask(sealed.write, { values: { secret } })
    const first = await vault.added(write)
    const again = await vault.added(write)
    const read = await one.ask(sealed.read)
    const met = { 'a secret was sealed and read': isOk(read) && read.text.includes(secret) && first !== undefined }
    if (!first) return { findings: [], met }
    const findings: Finding<Mistake>[] = []
    if (!again)
      findings.push({
        mistake: 'equal secrets are sealed alike',
        row: `${sealed.column}: twice ${first.toString('hex')}`,
      })
    const latest = again ?? first
    const altered = await alter(vault, latest, one, sealed.read, secret)
    if (altered)
      findings.push(shown('a sealed secret can be altered unnoticed', altered, { row: `written was ${secret}` }))
    const foreign = `${newMark()} of another person`
    const other = await newcomer()
    const third = await vault.added(() => other.ask(sealed.write, { values: { secret: foreign } }))
    const moved = third ? await vault.during(latest, third, () => one.ask(sealed.read)) : undefined
    if (moved && isOk(moved) && moved.text.includes(foreign))
      findings.push(shown('a sealed secret can be moved to another row', moved, { row: `sealed for ${other.email}` }))
    return { findings, met }
  },
})

type Vault = ReturnType<typeof vaultOf>

/** Bits turned at several places; an answer that is good and other than what was written has not noticed. */
async function alter(vault: Vault, sealed: Buffer, person: Somebody, read: string, secret: string) {
  for (let at = 0; at < sealed.length; at += Math.max(1, Math.floor(sealed.length / 12))) {
    const changed = Buffer.from(sealed)
    changed[at] = (changed[at] ?? 0) ^ 1
    const answer: Answer = await vault.during(sealed, changed, () => person.ask(read))
    if (isOk(answer) && !answer.text.includes(secret)) return answer
  }
  return undefined
}

function vaultOf(client: DatabaseClient, place: string) {
  const [table, column] = [place.slice(0, place.lastIndexOf('.')), place.slice(place.lastIndexOf('.') + 1)]
  const all = async (): Promise<Buffer[]> => {
    const { rows } = await client.query<{ value: Buffer | string }>(
      `select ${column} as value from ${table} where ${column} is not null`,
    )
    return rows.map(({ value }) => Buffer.from(value as string))
  }
  const replace = (from: Buffer, to: Buffer) =>
    client.query(`update ${table} set ${column} = $2 where ${column} = $1`, [from, to])
  return {
    /** What lies there after the work and did not before. */
    added: async (work: () => Promise<Answer>): Promise<Buffer | undefined> => {
      const before = await all()
      await work()
      const after = await all()
      return after.find((value) => !before.some((old) => old.equals(value)))
    },
    during: async (from: Buffer, to: Buffer, work: () => Promise<Answer>): Promise<Answer> => {
      await replace(from, to)
      try {
        return await work()
      } finally {
        await replace(to, from)
      }
    },
  }
}
