import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { readConfig, replaceSecret } from '@seaworthy/platform/config'
import type { Pair } from './local-authority.ts'
import { findPlace } from './place.ts'

const files = { authority: 'authority', server: 'tls' } as const
const nameForm = /^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i

/**
 * `seaworthy tls local NAME...`: an authority of this machine's own, made once, and a certificate for these names. Run
 * again it renews the certificate, which a running installation takes over, and nobody has to trust anything anew.
 */
export async function makeLocalCertificate(names: readonly string[]): Promise<void> {
  const wrong = names.find((name) => !isIP(name) && !nameForm.test(name))
  if (wrong !== undefined)
    throw new Error(
      `${JSON.stringify(wrong)} is neither a host name nor an address.\n    HINT: seaworthy tls local localhost 127.0.0.1`,
    )
  const directory = join(readConfig(findPlace().directory).dataDirectory, 'tls')
  const { makeAuthority, signFor } = await import('./local-authority.ts')
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const known = readPair(directory, files.authority)
  const authority = known ?? (await makeAuthority(`Seaworthy local authority of ${names[0]}`))
  if (!known) writePair(directory, files.authority, authority)
  writePair(directory, files.server, await signFor(names, authority))
  process.stdout.write(describe(directory, names, known !== undefined))
}

function readPair(directory: string, name: string): Pair | undefined {
  const [certificate, key] = [join(directory, `${name}.crt`), join(directory, `${name}.key`)]
  if (!existsSync(certificate) || !existsSync(key)) return undefined
  return { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') }
}

/** The certificate last: whoever looks at both in between waits until they fit. */
function writePair(directory: string, name: string, { certificate, key }: Pair): void {
  replaceSecret(directory, `${name}.key`, key.trim())
  replaceSecret(directory, `${name}.crt`, certificate.trim())
}

function describe(directory: string, names: readonly string[], isKnown: boolean): string {
  const authority = join(directory, `${files.authority}.crt`)
  const server = join(directory, files.server)
  return `${isKnown ? 'Renewed' : 'Made'} a certificate for ${names.join(', ')}; it holds for 397 days.

  export TLS_CERT_FILE=${server}.crt
  export TLS_KEY_FILE=${server}.key
${
  isKnown
    ? '\nThe authority is the same as before.\n'
    : `
Browsers and programs trust it once they trust its authority. Whoever has ${files.authority}.key can sign for every
name, so keep it here.

  Debian, Ubuntu   sudo cp "${authority}" /usr/local/share/ca-certificates/seaworthy.crt && sudo update-ca-certificates
  macOS            sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain "${authority}"
  Windows          certutil -addstore -f Root "${authority}"
  Firefox          Settings, Certificates, View, Authorities, Import: ${authority}
  Node, curl       NODE_EXTRA_CA_CERTS="${authority}"   curl --cacert "${authority}"
`
}`
}
