import type { DeploySettings } from './deploy.ts'
import { environmentOf } from './environment.ts'
import type { Host } from './host.ts'
import type { Layout } from './layout.ts'
import { holderOf } from './lock.ts'
import { slotsFor } from './slots.ts'
import { readState } from './state.ts'

/** Where people reach this host, as its environment says. */
export const publicUrlOf = (layout: Layout): string | undefined => environmentOf(layout).PUBLIC_URL

/** What a deploy would do, line by line. Changes nothing. */
export function planOf({ layout, runner }: Host, settings: DeploySettings): readonly string[] {
  const { serving, warm, current } = readState(layout)
  const holder = holderOf(layout)
  const { canary, bakeMs, keep, keepWarm, smoke, source } = settings
  return [
    ...(holder ? [`refused  ${holder.what} by ${holder.by} is under way, process ${holder.pid}`] : []),
    ...(!holder && current ? [`recover  a ${current.kind} of ${current.target} was interrupted`] : []),
    `copy     ${source.text}`,
    'migrate  what this release adds to the schema',
    ...(warm ? [`stop     ${warm}, which is kept warm`] : []),
    `start    ${source.release.image ? 'in a container' : `by ${runner.name}`}, beside ${serving ?? 'nothing'}`,
    ...(smoke ? ['smoke    sign in, upload, make an effect, delete, as a synthetic person'] : []),
    ...(canary && serving
      ? [`canary   ${slotsFor(canary.share) * 10} % of the traffic for ${canary.forMs / 1_000} s`]
      : []),
    'switch   all traffic',
    `bake     watch it for ${bakeMs / 1_000} s, and go back when it is worse`,
    ...(serving ? [keepWarm ? `keep     ${serving} warm` : `drain    ${serving}`] : []),
    `prune    all but the last ${keep} releases`,
  ]
}
