import { isLoopback, parseBytes, parseDuration, Secret } from '@seaworthy/core'
import { z } from 'zod'

/** One option, described once: validation, messages, `.env.example` and the reference come from it. */
export interface Setting<T> {
  readonly env: string
  /** Names that the source documents use for the same thing. */
  readonly aliases?: readonly string[]
  readonly schema: z.ZodType<T, string>
  /** As somebody would write it in the environment. Undefined: optional or generated. */
  readonly default?: string
  /** Made at the first start and kept in the data directory when nothing is set. */
  readonly generated?: boolean
  readonly secret?: boolean
  readonly type: string
  readonly text: string
  readonly group: string
  /** A value that works, for the message that says how to mend it. */
  readonly example: string
}

type Description = Pick<Setting<unknown>, 'text' | 'group'> & {
  readonly aliases?: readonly string[]
  readonly default?: string
}

/** A whole number from `min` to `max`. */
export function integer(
  env: string,
  min: number,
  max: number,
  about: Description & { default: string },
): Setting<number> {
  const message = `must be a whole number from ${min} to ${max}`
  const schema = z
    .string()
    .regex(/^-?\d{1,12}$/, message)
    .transform(Number)
    .pipe(z.number().min(min, message).max(max, message))
  return { env, schema, type: `number, ${min} to ${max}`, example: about.default, ...about }
}

/** `15m`, `7d`, `30s`, or milliseconds; read as milliseconds. */
export function duration(
  env: string,
  minMs: number,
  maxMs: number,
  about: Description & { default: string },
): Setting<number> {
  const message = `must be a duration such as ${about.default}, from ${showMs(minMs)} to ${showMs(maxMs)}`
  const schema = z.string().transform((text, issues) => {
    const ms = parseDuration(text)
    if (ms !== undefined && ms >= minMs && ms <= maxMs) return ms
    issues.addIssue({ code: 'custom', message })
    return z.NEVER
  })
  return { env, schema, type: `duration, ${showMs(minMs)} to ${showMs(maxMs)}`, example: about.default, ...about }
}

/** `30mb`, `1048576`; read as bytes. */
export function bytes(env: string, max: string, about: Description & { default: string }): Setting<number> {
  const message = `must be a size such as ${about.default}, at most ${max}`
  const schema = z.string().transform((text, issues) => {
    const size = parseBytes(text)
    if (size !== undefined && size > 0 && size <= (parseBytes(max) ?? 0)) return size
    issues.addIssue({ code: 'custom', message })
    return z.NEVER
  })
  return { env, schema, type: `size, at most ${max}`, example: about.default, ...about }
}

export function oneOf<const V extends readonly [string, ...string[]]>(
  env: string,
  values: V,
  about: Description & { default: V[number] },
): Setting<V[number]> {
  const message = `must be one of ${values.join(', ')}`
  return {
    env,
    schema: z.string().pipe(z.enum(values, message)),
    type: values.join(' | '),
    example: about.default,
    ...about,
  }
}

export function text(env: string, about: Description & { default: string }): Setting<string> {
  return { env, schema: z.string(), type: 'text', example: about.default, ...about }
}

export function optionalText(env: string, example: string, about: Description): Setting<string | undefined> {
  return { env, schema: z.string().transform((value) => value || undefined), type: 'text', example, ...about }
}

/** Who mail comes from: `mail@example.com`, or with a name in front. One line, so that it can be no second header. */
export function sender(env: string, example: string, about: Description): Setting<string | undefined> {
  const schema = z
    .string()
    .regex(/^([^<>\p{Cc}"]*<[^\s@<>]+@[^\s@<>]+>|[^\s@<>]+@[^\s@<>]+)?$/u, `must be an address such as ${example}`)
    .transform((value) => value || undefined)
  return { env, schema, type: 'address', example, ...about }
}

export function url(
  env: string,
  protocols: readonly string[],
  example: string,
  about: Description,
): Setting<string | undefined> {
  const schema = z
    .string()
    .refine((value) => isUrl(value, protocols), `must be a URL starting with ${protocols.join(' or ')}//`)
    .optional()
  return { env, schema: schema as z.ZodType<string | undefined, string>, type: 'URL', example, ...about }
}

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/** Encrypted, unless it stays on this machine; no password in it, which logs would show. */
const isProvider = (value: string): boolean => {
  if (!isUrl(value, ['http:', 'https:'])) return false
  const { protocol, hostname, username, password, search, hash } = new URL(value)
  return !username && !password && !search && !hash && (protocol === 'https:' || loopback.test(hostname))
}

/** Where a service of somebody else is asked: one address or several, comma separated. */
export function providerUrls(env: string, about: Description & { default: string }): Setting<readonly string[]> {
  const split = (value: string): string[] =>
    value
      .split(',')
      .map((part) => part.trim().replace(/\/+$/, ''))
      .filter(Boolean)
  const schema = z
    .string()
    .refine(
      (value) => split(value).length > 0 && split(value).every(isProvider),
      `must be an address such as ${about.default}, by https unless it is on this machine`,
    )
    .transform(split)
  return { env, schema, type: 'URLs, comma separated', example: about.default, ...about }
}

/** A service of your own, in a network of your own. */
export function providerUrl(env: string, example: string, about: Description): Setting<string | undefined> {
  const schema = z
    .string()
    .refine((value) => !value || isUrl(value, ['http:', 'https:']), `must be an address such as ${example}`)
    .transform((value) => value.replace(/\/+$/, '') || undefined)
  return { env, schema, type: 'URL', example, ...about }
}

const MICRO = 1_000_000
const MONEY_MAX = 1_000_000

/** `12.50` dollars; read as millionths, a whole number. */
export function money(env: string, about: Description & { default: string }): Setting<number> {
  const schema = z
    .string()
    .regex(/^\d{1,7}(\.\d{1,6})?$/, `must be an amount such as ${about.default}`)
    .transform((value) => Math.round(Number(value) * MICRO))
    .refine((value) => value <= MONEY_MAX * MICRO, `must be at most ${MONEY_MAX}`)
  return { env, schema, type: 'amount', example: about.default, ...about }
}

/** Dollars for a million tokens are millionths for one. */
export interface TokenPrice {
  readonly asked: number
  readonly answered: number
}

/** `0.15/0.60`: dollars for a million tokens that are asked, and that are answered. */
export function price(env: string, about: Description & { default: string }): Setting<TokenPrice> {
  const schema = z
    .string()
    .regex(/^\d{1,5}(\.\d{1,4})?\/\d{1,5}(\.\d{1,4})?$/, `must be two amounts such as ${about.default}`)
    .transform((value) => {
      const [asked = '0', answered = '0'] = value.split('/')
      return { asked: Number(asked), answered: Number(answered) }
    })
  return { env, schema, type: 'price', example: about.default, ...about }
}

/** A program on this machine or a host nearby: `tcp://host:port`, or `unix:` and the path of its socket. */
export function socketAddress(env: string, example: string, about: Description): Setting<string | undefined> {
  const schema = z
    .string()
    .regex(
      /^(tcp:\/\/([\w.-]+|\[[\da-f:]+\])(:\d{1,5})?|unix:(\/\/)?\/[^?#]+)?$/i,
      `must be an address such as ${example}, or unix:/path/of/a/socket`,
    )
    .refine((value) => !value || URL.canParse(value), 'must have a port below 65536')
    .transform((value) => value || undefined)
  return { env, schema, type: 'address', example, ...about }
}

/** What the kernel takes, less what is put behind the name while the socket is made. */
const SOCKET_BYTES_MAX = 96

/** The absolute path of a Unix socket of ours. */
export function socketPath(env: string, example: string, about: Description): Setting<string | undefined> {
  const schema = z
    .string()
    .regex(/^(\/[^\p{Cc}]*[^\p{Cc}/])?$/u, `must be an absolute path such as ${example}`)
    .refine((value) => Buffer.byteLength(value) <= SOCKET_BYTES_MAX, `must have at most ${SOCKET_BYTES_MAX} bytes`)
    .transform((value) => value || undefined)
  return { env, schema, type: 'path', example, ...about }
}

/** Comma-separated web origins, compared exactly. */
export function origins(env: string, about: Description & { default: string }): Setting<readonly string[]> {
  const schema = z.string().transform((value, issues) => {
    const list = value
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean)
    const wrong = list.filter((origin) => !isOrigin(origin))
    for (const origin of wrong) {
      issues.addIssue({
        code: 'custom',
        message: `holds ${JSON.stringify(origin)}, which is not an exact origin such as https://app.example.com`,
      })
    }
    return wrong.length ? z.NEVER : list
  })
  return { env, schema, type: 'origins, comma separated', example: 'https://app.example.com', ...about }
}

const bucketForm = /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[\w.-]+)*$/

/** Absolute paths and `s3://bucket/prefix`, comma separated. */
export function places(
  env: string,
  example: string,
  about: Description & { default: string },
): Setting<readonly string[]> {
  const split = (value: string): string[] =>
    value
      .split(',')
      .map((part) => part.trim().replace(/([^/])\/+$/, '$1'))
      .filter(Boolean)
  const schema = z
    .string()
    .refine(
      (value) => split(value).every((place) => place.startsWith('/') || bucketForm.test(place)),
      `must be absolute paths such as /mnt/backup, or buckets such as s3://bucket/prefix`,
    )
    .refine((value) => new Set(split(value)).size === split(value).length, 'must not name one place twice')
    .transform(split)
  return { env, schema, type: 'paths or buckets, comma separated', example, ...about }
}

/** `03:10`: minutes since midnight. */
export function timeOfDay(env: string, about: Description & { default: string }): Setting<number> {
  const schema = z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, `must be a time such as ${about.default}`)
    .transform((value) => Number(value.slice(0, 2)) * 60 + Number(value.slice(3)))
  return { env, schema, type: 'time of day', example: about.default, ...about }
}

const SECRET_BITS_MIN = 96

/** Random bytes as text: at least 32 characters and at least 96 bits by what its characters can hold. */
export function secret(
  env: string,
  about: Description & { readonly generated?: boolean },
): Setting<Secret | undefined> {
  const schema = z
    .string()
    .min(32, 'must have at least 32 characters')
    .refine((value) => value.length < 32 || entropyBits(value) >= SECRET_BITS_MIN, 'is too regular to be random')
    .transform((value) => new Secret(value))
  return {
    env,
    schema: schema as z.ZodType<Secret | undefined, string>,
    secret: true,
    type: 'secret',
    example: '$(openssl rand -hex 32)',
    ...about,
  }
}

const keyForm = /^[0-9a-f]{64}$/i
const isRandomKey = (value: string): boolean => keyForm.test(value) && entropyBits(value) >= SECRET_BITS_MIN

/** A key of 256 bits, as 64 hexadecimal digits. */
export function hexKey(
  env: string,
  about: Description & { readonly generated?: boolean },
): Setting<Secret | undefined> {
  const schema = z
    .string()
    .regex(keyForm, 'must be 64 hexadecimal digits')
    .refine((value) => !keyForm.test(value) || isRandomKey(value), 'is too regular to be random')
    .transform((value) => new Secret(value.toLowerCase()))
  return {
    env,
    schema: schema as z.ZodType<Secret | undefined, string>,
    secret: true,
    type: '64 hexadecimal digits',
    example: '$(openssl rand -hex 32)',
    ...about,
  }
}

/** Any number of such keys, comma separated. */
export function hexKeys(env: string, about: Description & { default: string }): Setting<readonly Secret[]> {
  const split = (value: string): string[] =>
    value
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean)
  const schema = z
    .string()
    .refine((value) => split(value).every(isRandomKey), 'must be random keys of 64 hexadecimal digits, comma separated')
    .transform((value) => split(value).map((key) => new Secret(key.toLowerCase())))
  return { env, schema, secret: true, type: 'keys, comma separated', example: '$(openssl rand -hex 32)', ...about }
}

/** A secret whose form is somebody else's: a provider's key, or with `protocols` an address that holds a password. */
export function foreignSecret(
  env: string,
  example: string,
  about: Description,
  protocols?: readonly string[],
): Setting<Secret | undefined> {
  const schema = z
    .string()
    .refine((value) => !protocols || isUrl(value, protocols), `must be an address such as ${example}`)
    .refine((value) => protocols || !/[\s\p{Cc}]/u.test(value), 'must be without spaces and signs that nobody sees')
    .transform((value) => (value ? new Secret(value) : undefined))
  return { env, schema, secret: true, type: 'secret', example, ...about }
}

/** The address of a Redis with its password: encrypted, unless it is on this machine. */
export function redisUrl(env: string, about: Description): Setting<Secret | undefined> {
  const example = 'rediss://user:password@host:6379'
  const schema = z
    .string()
    .refine((value) => isUrl(value, ['redis:', 'rediss:']), `must be an address such as ${example}`)
    .refine(
      (value) => !isUrl(value, ['redis:']) || isLoopback(new URL(value).hostname),
      'sends its password in clear to another machine: say rediss:// and turn TLS on there',
    )
    .transform((value) => new Secret(value))
  return {
    env,
    schema: schema as z.ZodType<Secret | undefined, string>,
    secret: true,
    type: 'secret',
    example,
    ...about,
  }
}

/** Shannon entropy of the characters times the length: low for repeated and regular text. */
function entropyBits(value: string): number {
  const counts = new Map<string, number>()
  for (const character of value) counts.set(character, (counts.get(character) ?? 0) + 1)
  let perCharacter = 0
  for (const count of counts.values()) {
    const share = count / value.length
    perCharacter -= share * Math.log2(share)
  }
  return perCharacter * value.length
}

function isUrl(value: string, protocols: readonly string[]): boolean {
  return URL.canParse(value) && protocols.includes(new URL(value).protocol)
}

function isOrigin(value: string): boolean {
  return isUrl(value, ['http:', 'https:']) && new URL(value).origin === value
}

function showMs(ms: number): string {
  const units = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'm'],
    [1_000, 's'],
  ] as const
  for (const [size, unit] of units) if (ms >= size && ms % size === 0) return `${ms / size}${unit}`
  return `${ms}ms`
}
