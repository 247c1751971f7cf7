import { holderOf } from '../../host/lock.ts'
import { readSlots, servedBy } from '../../host/slots.ts'
import { readState } from '../../host/state.ts'
import { bad, good, none, warn } from '../finding.ts'
import type { Check } from './check.ts'

/** What was put into production here last, and how that went. */
export const deploys: Check = {
  title: 'last deploy',
  look: ({ host }) => {
    if (!host) return none('no releases are deployed here (--root DIRECTORY)')
    const { last, current, serving } = readState(host.layout)
    const holder = holderOf(host.layout)
    if (holder)
      return warn(`${holder.what} by ${holder.by} is under way since ${holder.since}`, 'wait for it, then look again')
    if (current)
      return bad(
        `a ${current.kind} of ${current.target} was interrupted`,
        `seaworthy status --root ${host.layout.root}   # puts it right`,
      )
    if (!last) return none('nothing was deployed yet')
    const found = `${last.kind} of ${last.target} ${last.outcome} at ${last.endedAt}${last.why ? `: ${last.why.split('\n')[0]}` : ''}; ${serving ?? 'nothing'} serves`
    return last.outcome === 'failed' ? warn(found, 'mend the release, and deploy again') : good(found)
  },
}

/** Where nginx sends people. */
export const traffic: Check = {
  title: 'where traffic goes',
  look: async ({ host }) => {
    if (!host) return none('no releases are deployed here (--root DIRECTORY)')
    const slots = readSlots(host.layout)
    const serving = servedBy(slots)
    const next = `seaworthy rollback --root ${host.layout.root}`
    if (!serving)
      return slots.some(Boolean)
        ? warn(`it is divided: ${slots.join(', ')}`, `seaworthy status --root ${host.layout.root}`)
        : none('nothing was deployed yet')
    return (await host.runner.isAlive(serving))
      ? good(`to ${serving}, which runs`)
      : bad(`to ${serving}, which does not run`, next)
  },
}
