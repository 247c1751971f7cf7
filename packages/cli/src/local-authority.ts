// The X.509 library finds its parts by decorators, which need this first.
import 'reflect-metadata'
import { randomBytes, webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { DAY, MINUTE } from '@seaworthy/core'

/** A certificate and its key, as PEM. */
export interface Pair {
  readonly certificate: string
  readonly key: string
}

const AUTHORITY_DAYS = 3_650
/** Longer ones are refused by browsers, whoever signed them. */
const CERTIFICATE_DAYS = 397
/** For clocks that are a little behind. */
const EARLY_MS = 10 * MINUTE
const curve = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const uses: EcdsaUses = ['sign', 'verify']
type EcdsaUses = ('sign' | 'verify')[]

/** An authority that signs for servers and for no other authority. */
export async function makeAuthority(name: string, now = Date.now()): Promise<Pair> {
  const keys = await newKeys()
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: `CN=${name}`,
    keys,
    signingAlgorithm: curve,
    ...validFor(AUTHORITY_DAYS, now),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate: certificate.toString('pem'), key: await toPem(keys.privateKey) }
}

/** A certificate of a server with these names, with a key of its own. The authority's comes behind it in the text. */
export async function signFor(names: readonly string[], authority: Pair, now = Date.now()): Promise<Pair> {
  const keys = await newKeys()
  const issuer = new X509Certificate(authority.certificate)
  const signingKey = await webcrypto.subtle.importKey('pkcs8', PemConverter.decodeFirst(authority.key), curve, false, [
    'sign',
  ])
  const certificate = await X509CertificateGenerator.create({
    serialNumber: newSerial(),
    subject: `CN=${names[0]}`,
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: curve,
    ...validFor(CERTIFICATE_DAYS, now),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(names.map((value) => ({ type: isIP(value) ? 'ip' : 'dns', value }))),
      await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  const chain = `${certificate.toString('pem')}\n${authority.certificate.trim()}\n`
  return { certificate: chain, key: await toPem(keys.privateKey) }
}

const newKeys = () => webcrypto.subtle.generateKey(curve, true, uses)

const validFor = (days: number, now: number) => ({
  notBefore: new Date(now - EARLY_MS),
  notAfter: new Date(now + days * DAY),
})

/** Positive, as it must be, and not to be guessed. */
const newSerial = (): string => `00${randomBytes(16).toString('hex')}`

async function toPem(key: webcrypto.CryptoKey): Promise<string> {
  return `${PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`
}
