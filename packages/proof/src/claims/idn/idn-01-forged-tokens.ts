import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { defineClaim, exactly } from '../../claim.ts'
import type { Person } from '../../rig/person.ts'
import { patch } from '../../sabotage.ts'

const MUTATIONS = 300

/** An Ed25519 key as the service shows it. */
interface PublicKey {
  readonly x: string
}

export const claim = defineClaim({
  id: 'IDN-01',
  says: 'No forged, altered or borrowed access token is accepted, and none makes the service fail',
  answers: ['I1', 'I2', 'ASVS 9.1.1', 'ASVS 9.1.2', 'ASVS 9.1.3', 'ASVS 9.2.1'],
  witness: 'tokens made with jose',
  tier: 'fast',
  seconds: 3,
  limits: {
    'forged tokens accepted': exactly(0, 'tokens'),
    'failures of the service': exactly(0, 'answers'),
  },
  experiment: async (rig) => {
    const service = await rig.service()
    const person = await service.newcomer()
    const { keys } = (await (await fetch(`${service.url}/.well-known/jwks.json`)).json()) as { keys: PublicKey[] }
    const tokens = [...(await forge(person, keys)), ...mutate(person.token, rig.random)]
    const own = await person.fetch('/api/identity/me')
    const statuses = new Map<string, number>()
    for (const token of tokens) {
      const response = await fetch(`${service.url}/api/identity/me`, { headers: { authorization: `Bearer ${token}` } })
      await response.arrayBuffer()
      statuses.set(token, response.status)
    }
    const accepted = [...statuses].filter(([, status]) => status < 400)
    const failures = [...statuses].filter(([, status]) => status >= 500)
    return {
      measured: { 'forged tokens accepted': accepted.length, 'failures of the service': failures.length },
      met: {
        'the true token was accepted': own.status === 200,
        [`more than ${MUTATIONS} tokens were tried`]: statuses.size > MUTATIONS,
      },
      evidence: [`${statuses.size} tokens`, ...accepted.map(([token]) => `accepted: ${token}`)],
    }
  },
  sabotages: [
    patch(
      'the signature is not checked',
      'packages/platform/src/identity/access-tokens.ts',
      'const { payload, protectedHeader } = await jwtVerify(token, publicKeyOf, {',
      "const { payload, protectedHeader } = await (async (..._: unknown[]) => ({ protectedHeader: { kid: keys.current().id }, payload: JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown> & { exp?: number } }))(token, publicKeyOf, {",
    ),
    patch(
      'a token is known by its beginning',
      'packages/platform/src/identity/access-tokens.ts',
      "const id = hash('sha256', token, 'base64')",
      "const id = hash('sha256', token.slice(0, 60), 'base64')",
    ),
  ],
})

/** Every way that tokens are known to be forged. */
async function forge(person: Person, keys: readonly PublicKey[]): Promise<string[]> {
  const [head = '', body = '', signature = ''] = person.token.split('.')
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>
  const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as { alg: string; kid: string; typ: string }
  const secrets = ['', 'secret', 'changeme', 'seaworthy', person.accountId, 'your-very-secure-access-token-secret']
  // Of old, a verifier took a public key for a shared secret when the header said so.
  const shared = [
    ...secrets.map((secret) => secret.padEnd(32, '\0')),
    ...keys.flatMap(({ x }) => [x, JSON.stringify(x)]),
  ]
  const symmetric = await Promise.all(
    [...shared.map((text) => Buffer.from(text)), ...keys.map(({ x }) => Buffer.from(x, 'base64url'))].map((secret) =>
      new SignJWT(claims).setProtectedHeader({ ...header, alg: 'HS256' }).sign(secret),
    ),
  )
  const { privateKey } = await generateKeyPair('EdDSA')
  const foreign = await Promise.all(
    [header.kid, 'another', '../../dev/null'].map((kid) =>
      new SignJWT(claims).setProtectedHeader({ ...header, kid }).sign(privateKey),
    ),
  )
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const heads = [
    { ...header, alg: 'none' },
    { ...header, alg: 'None' },
    { ...header, alg: 'nOnE' },
    { ...header, alg: 'RS256' },
    { ...header, alg: 'ES256' },
    { ...header, alg: 'HS512' },
    { ...header, typ: 'JWT' },
    { ...header, kid: '../../dev/null' },
    { ...header, kid: "' union select 'x" },
    { ...header, jku: 'http://127.0.0.1:9/keys' },
    { ...header, jwk: { kty: 'oct', k: 'AAAA' } },
    { ...header, crit: ['b64'], b64: false },
  ]
  const bodies = [
    { ...claims, ops: true },
    { ...claims, rol: 'owner', acc: '01890000-0000-7000-8000-000000000000' },
    { ...claims, exp: 4_000_000_000 },
  ]
  return [
    new UnsecuredJWT(claims).setIssuer('seaworthy').encode(),
    ...symmetric,
    ...foreign,
    ...heads.flatMap((changed) => [`${encode(changed)}.${body}.${signature}`, `${encode(changed)}.${body}.`]),
    ...bodies.map((changed) => `${head}.${encode(changed)}.${signature}`),
    `${head}.${body}`,
    `${head}.${body}.${signature}.${signature}`,
    `${head}..${signature}`,
    person.cookie.replace(/^[^=]*=/, ''),
    '',
    'null',
    'undefined',
    'Bearer',
    'x'.repeat(7_000),
  ]
}

/** One character changed, somewhere. A change of the unused bits at the end of the signature is the same token. */
function mutate(token: string, random: () => number): string[] {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return Array.from({ length: MUTATIONS }, () => {
    const at = Math.floor(random() * (token.length - 1))
    const now = token[at] ?? ''
    const other = alphabet[(alphabet.indexOf(now) + 1 + Math.floor(random() * 62)) % 64] ?? 'A'
    return token.slice(0, at) + other + token.slice(at + 1)
  })
}
