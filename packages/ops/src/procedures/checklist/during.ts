import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { bad, type Finding, good, none } from '../doctor/finding.ts'
import type { Installation } from '../doctor/index.ts'
import { releasePath, socketPath } from '../host/layout.ts'
import { readState } from '../host/state.ts'
import type { Item } from './item.ts'

/** While a release goes into production. */
export const during: readonly Item[] = [
  { kind: 'judge', name: 'deploy-script', title: 'the deploy says what it will do', look: plan },
  { kind: 'judge', name: 'rollback', title: 'there is a release to go back to', look: wayBack },
  { kind: 'check', name: 'health', title: 'what serves is ready', check: 'service' },
  { kind: 'check', name: 'traffic', title: 'traffic goes to one release that runs', check: 'traffic' },
  { kind: 'judge', name: 'smoke', title: 'a synthetic person can use it', look: smoke },
  {
    kind: 'judge',
    name: 'ci',
    title: 'pipelines and files for production are as the definition says',
    look: async (here) => {
      if (!existsSync(join(here.directory, '.github', 'workflows')))
        return none('a release has no workflows: look in the checkout')
      const { code, output } = await here.run(['render', '--check'])
      return code === 0 ? good('as rendered') : bad(output.trim().split('\n')[0] ?? 'they differ', 'seaworthy render')
    },
  },
  {
    kind: 'judge',
    name: 'notifications',
    title: 'somebody hears how it went',
    look: ({ config }) =>
      config?.notifyEmail
        ? good(`told to ${config.notifyEmail}`)
        : bad('nobody is told', 'set NOTIFY_EMAIL and SMTP_URL, or deploy with --notify URL'),
  },
]

async function plan(here: Installation): Promise<Finding> {
  if (!here.host) return none('releases are not deployed from here (--root DIRECTORY)')
  const { code, output } = await here.run([
    'deploy',
    '--dry-run',
    '--root',
    here.host.layout.root,
    '--runner',
    here.host.runner.name,
  ])
  return code === 0 && !/^refused/m.test(output)
    ? good(`${output.trim().split('\n').length} steps`)
    : bad(output.trim().split('\n')[0] ?? '', 'seaworthy deploy --dry-run')
}

function wayBack({ host }: Installation): Finding {
  if (!host) return none('releases are not deployed from here (--root DIRECTORY)')
  const { previous, serving, releases } = readState(host.layout)
  if (!serving) return none('this is the first release')
  const known = releases.find(({ id }) => id === previous)
  if (!previous || !known) return bad('there is no release before this one', 'the first deploy has no way back')
  if (!existsSync(releasePath(host.layout, previous)))
    return bad(`${previous} is not on disk any more`, 'deploy with --keep 5')
  return known.bad ? bad(`${previous} was bad: ${known.bad}`, 'seaworthy releases') : good(`${previous} is on disk`)
}

export async function smoke(here: Installation): Promise<Finding> {
  const socket = here.host && here.serving ? socketPath(here.host.layout, here.serving) : here.config?.socket
  if (!socket) return none('it needs a service on a Unix socket: journeys come as from behind the proxy')
  const { code, output } = await here.run(['journey', '--socket', socket])
  const last = output.trim().split('\n').at(-1) ?? ''
  return code === 0
    ? good(last || 'signed in, uploaded, made an effect, deleted')
    : bad(last, `seaworthy journey --socket ${socket}`)
}
