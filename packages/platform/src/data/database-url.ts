import { isLoopback } from '@seaworthy/core'
import type { Endpoint, Login } from './drivers/pg.ts'

const withoutTls = ['disable', 'allow', 'prefer']
/** Whoever asks for less gets all of it: the certificate is verified, and that it is the host's. */
const withTls = ['require', 'verify-ca', 'verify-full']
const elsewhere = {
  sslrootcert: 'export DB_CA_FILE=/path/to/ca.pem',
  sslcert: 'the product signs in with a password',
  sslkey: 'the product signs in with a password',
}

/**
 * The parts of DATABASE_URL. On loopback the default is no TLS; to any other host TLS is always verified, and an address
 * that asks for less is refused.
 * @param ca PEM of the authority that signed the server's certificate; the system's authorities when undefined.
 * @param setting For messages.
 */
export function parseDatabaseUrl(
  text: string,
  ca?: string,
  setting = 'DATABASE_URL',
): { readonly endpoint: Endpoint; readonly admin: Login } {
  const url = new URL(text)
  if (!['postgres:', 'postgresql:'].includes(url.protocol)) throw new Error(`${setting} must start with postgresql://`)
  for (const [name, hint] of Object.entries(elsewhere))
    if (url.searchParams.has(name))
      throw new Error(
        `${setting} has ${name}, which is not read.\n    HINT: ${hint}, and take ${name} out of ${setting}.`,
      )
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return {
    endpoint: {
      host,
      port: Number(url.port || 5432),
      database: decodeURIComponent(url.pathname.slice(1)) || 'seaworthy',
      tls: tlsOf(url.searchParams.get('sslmode') ?? (isLoopback(host) ? 'disable' : 'verify-full'), host, setting),
      ...(ca ? { ca } : {}),
    },
    admin: { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) },
  }
}

function tlsOf(mode: string, host: string, setting: string): Endpoint['tls'] {
  if (withTls.includes(mode)) return 'verify'
  if (withoutTls.includes(mode) && isLoopback(host)) return 'off'
  throw new Error(
    `${setting} says sslmode=${mode}, with which anybody between here and ${host} could read and change everything.\n    HINT: take sslmode out of ${setting}, and if the server's certificate is signed by an authority of your own: export DB_CA_FILE=/path/to/ca.pem`,
  )
}

/** What goes wrong with a certificate, which no second try mends. */
const certificateErrors = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'HOSTNAME_MISMATCH',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** Words for an operator when the server's certificate is not accepted; undefined for every other failure. */
export function explainTlsFailure(error: unknown, { host, ca }: Endpoint): string | undefined {
  const { code = '', message = '' } = error as { code?: string; message?: string }
  if (message === 'The server does not support SSL connections')
    return `The database at ${host} offers no TLS.\n    HINT: turn it on there (ssl = on); without it DATABASE_URL may name loopback only.`
  if (!certificateErrors.has(code)) return undefined
  const hint = ca
    ? `DB_CA_FILE must hold the authority that signed it, and DATABASE_URL the name that it is for.`
    : `export DB_CA_FILE=/path/to/ca.pem, the authority that signed it; DATABASE_URL must have the name that it is for.`
  return `The certificate of the database at ${host} is not accepted: ${message}.\n    HINT: ${hint}`
}
