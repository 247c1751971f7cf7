import { systemClock } from '@seaworthy/core'
import type { Config } from '../config/index.ts'
import { type Identity, openIdentity } from '../identity/index.ts'
import { onAccountCreated } from './app-settings.ts'
import type { Capabilities } from './capabilities.ts'
import type { System } from './system.ts'

/** Who is calling, as this installation is set up. */
export function openIdentityOf(system: System, { config, database, vault, log }: Capabilities): Promise<Identity> {
  const { secrets } = config
  return openIdentity({
    database,
    vault,
    publicUrl: config.publicUrl,
    contextWords: wordsOf(system, config),
    accessSecret: secrets.accessSecret,
    refreshSecret: secrets.refreshSecret,
    accessMs: config.accessMs,
    refreshMs: config.refreshMs,
    sessionMs: config.sessionMs,
    signingKeyMs: config.signingKeyMs,
    clock: systemClock,
    log,
    onAccountCreated: onAccountCreated(system.apps),
  })
}

/** What somebody who guesses passwords of this installation tries first. */
const wordsOf = ({ apps }: System, config: Config): readonly string[] => [
  'seaworthy',
  ...apps.flatMap(({ name, title }) => [name, title]),
  ...new URL(config.publicUrl).hostname.split('.').slice(0, -1),
]
