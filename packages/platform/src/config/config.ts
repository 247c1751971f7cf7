import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import type { z } from 'zod'
import { type Environment, readEnvironment, readNamedFiles } from './env.ts'
import { readKeptDatabase } from './kept-database.ts'
import { isReadableByOthers, readOrMakeSecret, readSecretFile } from './secrets.ts'
import type { Setting } from './setting.ts'
import { settings } from './settings.ts'

type Settings = typeof settings
type Required<T> = T extends { generated: true } ? never : unknown
type ValueOf<S> = S extends Setting<infer T> ? (Required<S> extends never ? Exclude<T, undefined> : T) : never

/** All settings, parsed. Times are milliseconds, sizes bytes, secrets hidden from logs. */
export type Config = { readonly [K in keyof Settings]: ValueOf<Settings[K]> } & {
  readonly secrets: { readonly [K in GeneratedKey]: NonNullable<ValueOf<Settings[K]>> }
  /** The secrets that no setting gives: they are kept in files of the data directory. */
  readonly keptSecrets: readonly GeneratedKey[]
  /** Absolute. */
  readonly dataDirectory: string
  readonly publicUrl: string
  /** No setting says where the database is: it was moved there, and may be moved again while this runs. */
  readonly isDatabaseKept: boolean
}

type GeneratedKey =
  | 'databaseRoleSecret'
  | 'encryptionKey'
  | 'accessSecret'
  | 'refreshSecret'
  | 'mediaSecret'
  | 'auditSecret'
const knownNames = (Object.values(settings) as readonly Setting<unknown>[]).flatMap((setting) => [
  setting.env,
  ...(setting.aliases ?? []),
])

/** Every setting as if it were not there, also where a `.env` sets it: for a service that must have nothing of ours. */
export const blankEnvironment = (): Record<string, string> =>
  Object.fromEntries(knownNames.flatMap((name) => [name, `${name}_FILE`]).map((name) => [name, '']))

const generatedKeys: readonly GeneratedKey[] = [
  'databaseRoleSecret',
  'encryptionKey',
  'accessSecret',
  'refreshSecret',
  'mediaSecret',
  'auditSecret',
]

export interface ConfigFault {
  readonly setting: string
  readonly problem: string
  readonly mend: string
}

/** Every fault at once, each with the command that mends it. */
export class ConfigError extends Error {
  readonly faults: readonly ConfigFault[]

  constructor(faults: readonly ConfigFault[]) {
    const lines = faults.map((fault) => `  ${fault.setting} ${fault.problem}\n    HINT: ${fault.mend}`)
    super(`${faults.length === 1 ? 'One setting is' : `${faults.length} settings are`} wrong:\n${lines.join('\n')}`)
    this.name = 'ConfigError'
    this.faults = faults
  }
}

/** Reads, checks and completes the settings of the checkout in `directory`. Throws `ConfigError` with all faults. */
export function readConfig(directory: string, given?: Environment): Config {
  return complete(directory, given ? { env: given, unreadable: [] } : readEnvironment(directory, knownNames))
}

export interface SeenConfig {
  /** Complete, with passing secrets in place of those that are missing. Undefined while there are faults. */
  readonly config: Config | undefined
  readonly faults: readonly ConfigFault[]
  /** Settings that a start would have made a secret for now: none of them is in a directory that was used before. */
  readonly missing: readonly string[]
}

/**
 * The same for whoever only looks: makes no secret, and throws nothing for what is wrong.
 * @param given Instead of the process's own environment; `NAME_FILE` is followed here too.
 */
export function lookAtConfig(directory: string, given?: Environment): SeenConfig {
  const missing: string[] = []
  const keep: KeepSecret = (secrets, name) => {
    const known = readSecretFile(join(secrets, name))
    if (known === undefined) missing.push(name)
    return known ?? randomBytes(SECRET_BYTES).toString('hex')
  }
  try {
    const read = given ? readNamedFiles(given, knownNames) : readEnvironment(directory, knownNames)
    return { config: complete(directory, read, keep), faults: [], missing }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { config: undefined, faults: error.faults, missing }
  }
}

type KeepSecret = (directory: string, name: string) => string
const SECRET_BYTES = 32

function complete(
  directory: string,
  { env, unreadable }: ReturnType<typeof readEnvironment>,
  keepSecret: KeepSecret = readOrMakeSecret,
): Config {
  const faults: ConfigFault[] = unreadable.map((setting) => ({
    setting,
    problem: 'names a file that cannot be read',
    mend: `ls -l "${env[setting]}"   # then correct the path or its permissions`,
  }))
  const values = parseSettings(env, faults)
  const dataDirectory = absolute(directory, String(values.dataDirectory ?? settings.dataDirectory.default))
  const keptSecrets = generatedKeys.filter((key) => !values[key])
  if (faults.length === 0) completeSecrets(values, dataDirectory, faults, keepSecret)
  const isDatabaseKept = !values.databaseUrl
  if (isDatabaseKept && faults.length === 0) completeDatabase(values, dataDirectory, faults)
  faults.push(...contradictions(values), ...securitySwitches(env))
  if (faults.length) throw new ConfigError(faults)
  const scheme = values.tlsCertFile ? 'https' : 'http'
  const publicUrl = (values.publicUrl as string | undefined) ?? `${scheme}://localhost:${values.port}`
  const secrets = Object.fromEntries(generatedKeys.map((key) => [key, values[key]]))
  return { ...values, secrets, keptSecrets, dataDirectory, publicUrl, isDatabaseKept } as unknown as Config
}

function parseSettings(env: Environment, faults: ConfigFault[]): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  const production = env[settings.environment.env] === 'production'
  for (const [key, setting] of Object.entries(settings) as [string, Setting<unknown>][]) {
    const name = [setting.env, ...(setting.aliases ?? [])].find((candidate) => env[candidate]) ?? setting.env
    const given = env[name] || setting.default
    if (given === undefined) continue
    const parsed = (setting.schema as z.ZodType).safeParse(given)
    const problem = parsed.success ? placeholderProblem(production, given) : parsed.error.issues[0]?.message
    if (problem) faults.push({ setting: name, problem, mend: mendCommand(setting) })
    else values[key] = parsed.data
  }
  return values
}

const placeholderProblem = (production: boolean, given: string): string | undefined =>
  production && isPlaceholder(given) ? 'is a known placeholder, which anybody can look up' : undefined

const placeholder =
  /^(your[-_ ]|<|change-?me|placeholder|example|secret$|password$|pass$|test$|sk_test_|pk_test_|xxx)|your-very-secure|replace[-_ ]?me|(\/\/|[,@.])your[-_]([a-z]+[-_])*(domain|host|dsn)\b/i

function isPlaceholder(value: string): boolean {
  const password = /^[a-z]+:\/\/[^/@]*:([^/@]*)@/i.exec(value)?.[1]
  return placeholder.test(value) || (password !== undefined && placeholder.test(password))
}

function mendCommand(setting: Setting<unknown>): string {
  return setting.generated
    ? `unset ${setting.env}   # the next start makes a good one, or: export ${setting.env}=${setting.example}`
    : `export ${setting.env}=${setting.example || '""'}`
}

function completeSecrets(
  values: Record<string, unknown>,
  dataDirectory: string,
  faults: ConfigFault[],
  keepSecret: KeepSecret,
): void {
  const directory = join(dataDirectory, 'secrets')
  for (const key of generatedKeys) {
    if (values[key]) continue
    const setting = settings[key]
    const path = join(directory, setting.env)
    if (isReadableByOthers(path)) {
      faults.push({
        setting: setting.env,
        problem: `is kept in ${path}, which others can read`,
        mend: `chmod 600 "${path}"`,
      })
      continue
    }
    try {
      values[key] = setting.schema.parse(keepSecret(directory, setting.env))
    } catch (error) {
      faults.push({
        setting: setting.env,
        problem: `cannot be kept in ${path}: ${(error as Error).message}`,
        mend: `export DATA_DIR=/a/directory/with/space   # or mend ${directory}`,
      })
    }
  }
}

/** Where a graduation has moved it to. */
function completeDatabase(values: Record<string, unknown>, dataDirectory: string, faults: ConfigFault[]): void {
  const { env, schema } = settings.databaseUrl
  const kept = readKeptDatabase(dataDirectory)
  if (!kept) return
  const path = join(dataDirectory, 'secrets', env)
  const parsed = schema.safeParse(kept.url)
  if (isReadableByOthers(path))
    faults.push({ setting: env, problem: `is kept in ${path}, which others can read`, mend: `chmod 600 "${path}"` })
  else if (!parsed.success)
    faults.push({
      setting: env,
      problem: `is kept in ${path}, which was damaged`,
      mend: `export ${env}=${settings.databaseUrl.example}`,
    })
  else {
    values.databaseUrl = parsed.data
    values.databaseCaFile ||= kept.caFile
  }
}

const switches = ['CSP_ENABLED', 'RATE_LIMIT_ENABLED', 'HELMET_ENABLED', 'CSRF_ENABLED']

/** The documents turn protections off by a setting. Here they have no switch, and whoever turns one should know. */
const securitySwitches = (env: Environment): ConfigFault[] =>
  switches
    .filter((name) => /^(false|0|off|no|disabled)$/i.test(env[name] ?? ''))
    .map((setting) => ({
      setting,
      problem: 'cannot be switched off: this protection is always on',
      mend: `unset ${setting}`,
    }))

function contradictions(values: Record<string, unknown>): ConfigFault[] {
  const faults: ConfigFault[] = []
  const mustExceed = (larger: keyof Settings, smaller: keyof Settings): void => {
    const [a, b] = [values[larger], values[smaller]]
    if (typeof a !== 'number' || typeof b !== 'number' || a > b) return
    const name = settings[larger].env
    faults.push({
      setting: name,
      problem: `must be longer than ${settings[smaller].env}`,
      mend: `export ${name}=${b * 2}`,
    })
  }
  mustExceed('databaseTransactionMs', 'databaseQueryMs')
  mustExceed('requestMs', 'databaseTransactionMs')
  mustExceed('refreshMs', 'accessMs')
  if (Number(values.sessionMs) < Number(values.refreshMs))
    faults.push({
      setting: settings.sessionMs.env,
      problem: `must not be shorter than ${settings.refreshMs.env}`,
      mend: `export ${settings.sessionMs.env}=${values.refreshMs}`,
    })
  faults.push(...tlsContradictions(values), ...processContradictions(values), ...storeContradictions(values))
  if (values.smtpUrl && !values.mailFrom)
    faults.push({
      setting: settings.mailFrom.env,
      problem: 'is needed with SMTP_URL',
      mend: `export ${settings.mailFrom.env}="${settings.mailFrom.example}"`,
    })
  if (values.notifyEmail && !values.smtpUrl)
    faults.push({
      setting: settings.smtpUrl.env,
      problem: 'is needed with NOTIFY_EMAIL',
      mend: `export ${settings.smtpUrl.env}="${settings.smtpUrl.example}"   # or: unset NOTIFY_EMAIL`,
    })
  if (values.s3Endpoint) {
    for (const key of ['s3Bucket', 's3AccessKeyId', 's3SecretAccessKey'] as const) {
      if (!values[key])
        faults.push({
          setting: settings[key].env,
          problem: 'is needed with S3_ENDPOINT',
          mend: `export ${settings[key].env}=${settings[key].example}`,
        })
    }
  }
  return faults
}

/** A bucket needs to be somewhere, and somebody who may write there. */
function storeContradictions(values: Record<string, unknown>): ConfigFault[] {
  const bucket = (values.backupStores as readonly string[] | undefined)?.find((store) => store.startsWith('s3://'))
  if (!bucket) return []
  return (['backupS3Endpoint', 'backupS3AccessKeyId', 'backupS3SecretAccessKey'] as const)
    .filter((key) => !values[key])
    .map((key) => ({
      setting: settings[key].env,
      problem: `is needed with ${bucket} in BACKUP_STORES`,
      mend: `export ${settings[key].env}=${settings[key].example}`,
    }))
}

/** Something runs, whoever comes in is known, and somebody prepares the database. */
function processContradictions(values: Record<string, unknown>): ConfigFault[] {
  const faults: ConfigFault[] = []
  if (values.socket && values.trustedProxies === 0)
    faults.push({
      setting: settings.socket.env,
      problem: `needs ${settings.trustedProxies.env} of at least 1: who comes through it is known from X-Forwarded-For only`,
      mend: `export ${settings.trustedProxies.env}=1   # and have the proxy set X-Forwarded-For`,
    })
  if (values.webProcesses === 0 && values.workerProcesses === 0)
    faults.push({
      setting: settings.webProcesses.env,
      problem: `and ${settings.workerProcesses.env} are both 0: nothing would run`,
      mend: `export ${settings.webProcesses.env}=1`,
    })
  if (values.migrations === 'wait' && !values.databaseUrl)
    faults.push({
      setting: settings.migrations.env,
      problem: 'is wait, but nobody else prepares the embedded database',
      mend: `unset ${settings.migrations.env}   # or: export ${settings.databaseUrl.env}=${settings.databaseUrl.example}`,
    })
  return faults
}

/** Both files or none, an address that says so, and nobody in front who has ended TLS already. */
function tlsContradictions(values: Record<string, unknown>): ConfigFault[] {
  const { tlsCertFile, tlsKeyFile } = settings
  const faults: ConfigFault[] = []
  if (Boolean(values.tlsCertFile) !== Boolean(values.tlsKeyFile)) {
    const [missing, given] = values.tlsCertFile ? [tlsKeyFile, tlsCertFile] : [tlsCertFile, tlsKeyFile]
    faults.push({
      setting: missing.env,
      problem: `is needed with ${given.env}`,
      mend: `export ${missing.env}=${missing.example}`,
    })
  }
  if (values.tlsCertFile && String(values.publicUrl ?? 'https:').startsWith('http:'))
    faults.push({
      setting: settings.publicUrl.env,
      problem: `must begin with https:// where ${tlsCertFile.env} is set`,
      mend: `export ${settings.publicUrl.env}=${String(values.publicUrl).replace('http:', 'https:')}`,
    })
  if (values.tlsCertFile && values.socket)
    faults.push({
      setting: settings.socket.env,
      problem: `and ${tlsCertFile.env} are both set, but a proxy on this machine speaks HTTP through the socket`,
      mend: `unset ${tlsCertFile.env} ${tlsKeyFile.env}`,
    })
  return faults
}

const absolute = (directory: string, path: string): string => (isAbsolute(path) ? path : resolve(directory, path))

const recoveryKeys = [
  'backupStores',
  'backupS3Endpoint',
  'backupS3Region',
  'backupS3AccessKeyId',
  'backupS3SecretAccessKey',
  'backupRetentionMs',
  'backupKeep',
  'restic',
] as const

/** What a restore must know before there is anything else here: it reads no secret of an installation and makes none. */
export interface RecoverySettings extends Pick<Config, 'dataDirectory' | (typeof recoveryKeys)[number]> {
  /** Whether the keys of an installation are here. */
  readonly hasKeys: boolean
}

/** Throws `ConfigError`. */
export function readRecoverySettings(directory: string): RecoverySettings {
  const names = [settings.dataDirectory, settings.encryptionKey, ...recoveryKeys.map((key) => settings[key])].map(
    ({ env }) => env,
  )
  const { env } = readEnvironment(directory, names)
  const faults: ConfigFault[] = []
  const values = parseSettings(env, faults)
  const own = [...faults.filter(({ setting }) => names.includes(setting)), ...storeContradictions(values)]
  if (own.length) throw new ConfigError(own)
  const dataDirectory = absolute(directory, String(values.dataDirectory))
  const hasKeys =
    Boolean(values.encryptionKey) || existsSync(join(dataDirectory, 'secrets', settings.encryptionKey.env))
  const recovery = Object.fromEntries(recoveryKeys.map((key) => [key, values[key]])) as Pick<
    Config,
    (typeof recoveryKeys)[number]
  >
  return { ...recovery, dataDirectory, hasKeys }
}
