import { type Answer, crop, isOk, jsonOf, pick } from '../answer.ts'
import { defineGeneralClaim } from '../claim.ts'
import { type Finding, shown } from '../finding.ts'
import { newMark } from '../route.ts'
import type { Somebody } from '../somebody.ts'

const mistakes = {
  "somebody else's thing can be read": [],
  "somebody else's thing can be changed": [],
  "somebody else's thing can be deleted": [],
  "somebody else's things are in the list": [],
} as const
type Mistake = keyof typeof mistakes

export const claim = defineGeneralClaim({
  id: 'GEN-17',
  says: 'Nobody reads, lists, changes or deletes what belongs to somebody else',
  mistakes,
  answers: ['Z4', 'I6', 'ASVS 8.2.2'],
  needs: ['people', 'resource.create', 'resource.read'],
  find: async ({ config: { resource = {} }, people }) => {
    const [owner, other] = await people()
    const created = await owner.ask(resource.create ?? '')
    const id = String(pick(jsonOf(created), 'id'))
    const own = (): Promise<Answer> => owner.ask(resource.read ?? '', { values: { id } })
    const before = await own()
    const read = await other.ask(resource.read ?? '', { values: { id } })
    const list = resource.list ? await other.ask(resource.list) : undefined
    const findings: Finding<Mistake>[] = [
      ...(isOk(read) ? [shown("somebody else's thing can be read", read)] : []),
      ...(list?.text.includes(id) ? [shown("somebody else's things are in the list", list)] : []),
      ...(await tryOn(other, "somebody else's thing can be changed", resource.change, id, own)),
      ...(await tryOn(other, "somebody else's thing can be deleted", resource.delete, id, own)),
    ]
    return { findings, met: { 'the owner made and read it': isOk(created) && isOk(before) } }
  },
})

/** Whatever was answered: what the owner reads afterwards counts. Addresses that are signed anew each time do not. */
async function tryOn(
  other: Somebody,
  mistake: Mistake,
  line: string | undefined,
  id: string,
  own: () => Promise<Answer>,
): Promise<Finding<Mistake>[]> {
  if (!line) return []
  const text = `taken over ${newMark()}`
  const answer = await other.ask(line, { values: { id, text } })
  const after = await own()
  const happened = mistake.endsWith('changed') ? after.text.includes(text) : !isOk(after)
  return happened ? [shown(mistake, answer, { row: crop(`the owner reads ${after.status} ${after.text}`) })] : []
}
