import type { Config, ConfigFault } from '@seaworthy/platform/config'
import type { Host } from '../host/host.ts'

/** What an operator at the machine has of one installation. Nothing in here changes it. */
export interface Installation {
  /** Where the checkout is whose program looks. */
  readonly directory: string
  readonly build: { readonly version: string; readonly commit: string }
  /** Undefined while settings are wrong: `faults` says which. */
  readonly config: Config | undefined
  readonly faults: readonly ConfigFault[]
  /** Secrets that are kept in files and are not there. */
  readonly missingSecrets: readonly string[]
  /** Where releases replace each other behind nginx. */
  readonly host: Host | undefined
  /** What serves there. */
  readonly serving: string | undefined
  /** One statement that reads, as the owner of the tables, or as who may see what others do. Throws what the driver throws. */
  readonly query: <Row>(statement: string, as?: 'owner' | 'admin') => Promise<readonly Row[]>
  /** Names of migrations that this program would apply. */
  readonly pendingMigrations: () => Promise<readonly string[]>
  /** What the app's role may do that it must not. */
  readonly weakRights: () => Promise<readonly string[]>
  /** Fingerprints of the keys that are here, the current one first. */
  readonly ring: () => readonly string[]
  /** Why a loss of this disk would lose more than seconds; undefined when it would not. */
  readonly recoveryProblem: () => Promise<string | undefined>
  /** The newest restore on trial; undefined when none was ever held. */
  readonly lastDrill: () => Promise<LastDrill | undefined>
  /** Throws when Redis does not answer. */
  readonly pingRedis: () => Promise<void>
  /** A command of this program with the settings of this installation; what it printed. */
  readonly run: (args: readonly string[]) => Promise<CommandRun>
}

interface LastDrill {
  /** ISO 8601. */
  readonly at: string
  readonly point: string | undefined
  readonly outcome: 'passed' | 'failed' | 'unknown'
  readonly problem: string | undefined
  readonly rtoSeconds: number | undefined
  readonly rpoSeconds: number | undefined
  /** How many times as long as the trials before; undefined where there are none. */
  readonly ratio: number | undefined
}

export interface CommandRun {
  readonly code: number
  readonly output: string
}

/** Why something cannot be looked at that needs the settings. */
export class NoSettings extends Error {
  constructor() {
    super('the settings are wrong')
    this.name = 'NoSettings'
  }
}

export function settingsOf({ config }: Installation): Config {
  if (!config) throw new NoSettings()
  return config
}
