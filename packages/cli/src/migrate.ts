import { type MigrateOutcome, migrateOnce } from '@seaworthy/platform/boot'
import { readConfig } from '@seaworthy/platform/config'
import { createLogger } from '@seaworthy/platform/telemetry'
import { findPlace, loadSystem } from './place.ts'

export interface MigrateFlags {
  readonly dryRun?: boolean
  readonly json?: boolean
  /** False where somebody has a link already. */
  readonly operatorLink?: boolean
}

/** `seaworthy migrate`: what was applied on standard output, what happened meanwhile on the other. Throws when it fails. */
export async function migrate({ dryRun = false, json = false, operatorLink = true }: MigrateFlags): Promise<void> {
  const place = findPlace()
  const config = readConfig(place.directory)
  const write = (line: string): void => void process.stderr.write(`${line}\n`)
  const log = createLogger({ level: config.logLevel, process: 'migrate', write })
  const system = await loadSystem(place)
  const outcome = await migrateOnce({ config, system, log, isDryRun: dryRun, makesOperatorLink: operatorLink })
  process.stdout.write(json ? `${toJson(outcome, dryRun, place.build.commit)}\n` : describe(outcome))
  if (!json && outcome.migrations.length === 0) write('The database is up to date.')
  if (!json && outcome.missingKeys.length)
    throw new Error(
      `The database is sealed with a key that is not in the ring: ${outcome.missingKeys.join(', ')}.\n    HINT: put it into ENCRYPTION_KEY or ENCRYPTION_KEYS_OLD`,
    )
}

const namesOf = ({ migrations }: MigrateOutcome): string[] => migrations.map(({ app, name }) => `${app}/${name}`)

const toJson = (outcome: MigrateOutcome, isDryRun: boolean, release: string): string =>
  JSON.stringify({
    release,
    [isDryRun ? 'pending' : 'applied']: namesOf(outcome),
    ...(isDryRun ? { missingKeys: outcome.missingKeys } : {}),
    ...(outcome.operatorLink ? { operatorLink: outcome.operatorLink } : {}),
  })

const describe = (outcome: MigrateOutcome): string =>
  [
    ...namesOf(outcome),
    ...(outcome.operatorLink ? [`${outcome.operatorLink}  makes the first operator, once, within 7 days`] : []),
  ]
    .map((line) => `${line}\n`)
    .join('')
