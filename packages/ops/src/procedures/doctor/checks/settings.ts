import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { bad, good, none, warn } from '../finding.ts'
import { settingsOf } from '../installation.ts'
import type { Check } from './check.ts'

export const settings: Check = {
  title: 'settings',
  look: ({ faults, config }) => {
    const [first] = faults
    if (first) return bad(faults.map(({ setting, problem }) => `${setting} ${problem}`).join('; '), first.mend)
    return config?.environment === 'production'
      ? good('complete, for production')
      : good(`complete, for ${config?.environment}: placeholders are not refused`)
  },
}

/** A directory that was used before has its secrets. Whoever starts without them makes new ones, and the old data stays shut. */
export const secrets: Check = {
  title: 'secrets',
  look: (here) => {
    const { dataDirectory, keptSecrets } = settingsOf(here)
    const wasUsed = existsSync(join(dataDirectory, 'secrets')) || existsSync(join(dataDirectory, 'database'))
    if (here.missingSecrets.length && wasUsed)
      return bad(
        `${here.missingSecrets.join(', ')} ${here.missingSecrets.length === 1 ? 'is' : 'are'} not in ${join(dataDirectory, 'secrets')}`,
        here.missingSecrets.includes('ENCRYPTION_KEY')
          ? 'do not start it: seaworthy runbook keys-lost'
          : `do not start it: put the file back from a copy of ${join(dataDirectory, 'secrets')}`,
      )
    if (here.missingSecrets.length) return none('it was never started: the first start makes them')
    return good(
      keptSecrets.length ? `${keptSecrets.length} are kept in files, the others are set` : 'all are set from outside',
    )
  },
}

const OTHERS = 0o077

/** Whoever else has an account on this machine reads neither secrets nor files of people. */
export const files: Check = {
  title: 'rights of files',
  look: (here) => {
    const { dataDirectory } = settingsOf(here)
    if (!existsSync(dataDirectory)) return none(`${dataDirectory} is not there yet`)
    const kept = join(dataDirectory, 'secrets')
    const suspects = [
      join(here.directory, '.env'),
      ...(here.host ? [here.host.layout.environment, here.host.layout.ownerEnvironment] : []),
      ...[kept, join(dataDirectory, 'database')].filter(existsSync),
      ...(existsSync(kept) ? readdirSync(kept).map((name) => join(kept, name)) : []),
    ].filter(existsSync)
    const open = suspects.filter((path) => (statSync(path).mode & OTHERS) !== 0)
    if (open.length)
      return bad(`others may open ${open.join(', ')}`, `chmod go= ${open.map((path) => `"${path}"`).join(' ')}`)
    const { uid } = statSync(dataDirectory)
    const me = process.getuid?.() ?? uid
    return me === uid || me === 0
      ? good(`${suspects.length} files and directories are their owner's only`)
      : warn(`${dataDirectory} belongs to another user (${uid})`, `run this as that user: sudo -u '#${uid}' ...`)
  },
}
