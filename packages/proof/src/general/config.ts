import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** How to start, reach and use an app that is not ours. Routes are lines such as `POST /api/notes {"title":"{text}"}`. */
export interface GeneralConfig {
  /** Of loopback, with `{port}` where a free port goes. */
  readonly url: string
  /**
   * `{port}`, `{otherPort}`, `{data}` (a folder) and `{provider}` in the environment are filled. `required` are settings
   * without which it must not start, `secrets` those that must not be placeholders.
   */
  readonly start?: {
    readonly command: string
    readonly environment?: Readonly<Record<string, string>>
    readonly required?: readonly string[]
    readonly secrets?: readonly string[]
  }
  /** As somebody who may see everything. */
  readonly database?: string
  /** As the app itself. */
  readonly databaseRole?: string
  readonly signUp?: string
  readonly signIn?: string
  readonly signOut?: string
  /** With `{refreshToken}`, which is `refreshToken` of the answer to signing up. */
  readonly refresh?: string
  /** Where the proof of sign-in is: `body.accessToken` or `cookie.session`. */
  readonly token?: string
  /** What a person sees and may change of the own account, and names there that only the system may change. */
  readonly me?: string
  readonly profile?: string
  readonly protected?: readonly string[]
  /** A thing that belongs to one person: `{id}` is `id` of the answer to `create`; `table` is where its rows are. */
  readonly resource?: Readonly<Partial<Record<ResourcePart, string>>>
  /** Must not be answered without a sign-in. */
  readonly private?: readonly string[]
  /** Must not be allowed to an ordinary person. */
  readonly forbidden?: readonly string[]
  readonly pages?: readonly string[]
  readonly health?: string
  readonly metrics?: string
  readonly metricsToken?: string
  /** Uses `{number}` that must not be negative. */
  readonly usage?: string
  /** Must count once for one idempotency key: `[what to do, where the list of it is]`. */
  readonly once?: readonly (readonly [act: string, list: string])[]
  /** Routes that ask an outside provider, the first one cached; `{provider}` in the environment is ours. */
  readonly provider?: readonly string[]
  /** A cached question with two texts: `{first}` and `{second}`. */
  readonly question?: string
  /** `read` gives the file; `body.<name>` when the answer to `send` says where it is. */
  readonly upload?: { readonly send: string; readonly read: string; readonly bytesMax?: number }
  /** Gives a file by its name, `{path}`. */
  readonly download?: string
  readonly webhook?: Readonly<Record<'send' | 'header' | 'secret' | 'balance', string>>
  /** Take a `{secret}` that must not be in the database in clear text. */
  readonly secrets?: readonly string[]
  /** Answers with a new key of the app's own. */
  readonly issueKey?: string
  /** Keeps a `{secret}` encrypted, gives it back, and in which `table.column` it lies. */
  readonly sealed?: Readonly<Record<'write' | 'read' | 'column', string>>
  /** The longest that an answer may take, whatever the database does. */
  readonly answersWithinMs?: number
}

export type ResourcePart = 'create' | 'list' | 'read' | 'change' | 'delete' | 'search' | 'table'

const names = new Set(
  (
    'url start database databaseRole signUp signIn signOut refresh token me profile protected resource private ' +
    'forbidden pages health metrics metricsToken usage once provider question upload download webhook secrets ' +
    'issueKey sealed answersWithinMs'
  ).split(' '),
)

/** A configuration and the folder that it was in. */
export interface ConfigFile {
  readonly config: GeneralConfig
  readonly directory: string
}

/** How an app that is not ours is named: by a file, or by an address for what can be seen from outside, or both. */
export interface AppGiven {
  readonly file?: string | undefined
  /** In place of the file's. */
  readonly url?: string | undefined
  /** A PostgreSQL address, in place of the file's. */
  readonly database?: string | undefined
}

/** A module with a default export, or JSON; with what was given beside it. */
export async function readConfigFile({ file, url, database }: AppGiven): Promise<ConfigFile> {
  const path = file === undefined ? undefined : resolve(file)
  const found = path === undefined ? {} : await load(path)
  if (typeof found !== 'object' || found === null) throw new Error('the configuration is no object')
  const config = checkConfig({ ...found, ...(url ? { url } : {}), ...(database ? { database } : {}) })
  return { config, directory: path === undefined ? process.cwd() : dirname(path) }
}

const load = async (path: string): Promise<unknown> =>
  path.endsWith('.json')
    ? (JSON.parse(readFileSync(path, 'utf8')) as unknown)
    : ((await import(pathToFileURL(path).href)) as { default?: unknown }).default

/** Throws what is wrong with it. An app elsewhere is not attacked: it must be on this machine. */
export function checkConfig(found: unknown): GeneralConfig {
  if (typeof found !== 'object' || found === null) throw new Error('the configuration is no object')
  const unknown = Object.keys(found).filter((name) => !names.has(name))
  if (unknown.length) throw new Error(`the configuration has names that mean nothing: ${unknown.join(', ')}`)
  const config = found as GeneralConfig
  if (!/^https?:\/\/(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:(\d+|\{port\}))?$/.test(config.url ?? ''))
    throw new Error('the configuration needs a url of this machine, such as http://127.0.0.1:{port}')
  return config
}
