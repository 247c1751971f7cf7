import type {
  AuthenticationResponseJSON,
  AuthenticatorTransport,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server'

export type { PublicKeyCredentialCreationOptionsJSON, PublicKeyCredentialRequestOptionsJSON }

/** The site as browsers bind passkeys to it. */
export interface Site {
  readonly name: string
  /** Its host name. */
  readonly id: string
  readonly origin: string
}

export interface StoredPasskey {
  readonly id: string
  readonly publicKey: Buffer
  readonly counter: number
  readonly transports: readonly string[]
}

/** Loaded on first use: most processes never see a passkey. */
const library = () => import('@simplewebauthn/server')

/** A passkey that the device itself finds again, and only opens for a person whom it has checked. */
export async function enrolmentOptions(
  site: Site,
  person: { readonly id: string; readonly email: string },
  known: readonly StoredPasskey[],
): Promise<PublicKeyCredentialCreationOptionsJSON> {
  const { generateRegistrationOptions } = await library()
  return generateRegistrationOptions({
    rpName: site.name,
    rpID: site.id,
    userName: person.email,
    userID: new Uint8Array(Buffer.from(person.id)),
    attestationType: 'none',
    excludeCredentials: known.map(({ id, transports }) => ({ id, transports: [...transports] })),
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
  })
}

/** Undefined when the answer does not hold. */
export async function readEnrolment(
  site: Site,
  challenge: string,
  answer: unknown,
): Promise<(StoredPasskey & { readonly backedUp: boolean }) | undefined> {
  const { verifyRegistrationResponse } = await library()
  const response = answer as RegistrationResponseJSON
  const read = await verifyRegistrationResponse({
    response,
    expectedChallenge: challenge,
    expectedOrigin: site.origin,
    expectedRPID: site.id,
    requireUserVerification: true,
  }).catch(() => undefined)
  if (!read?.verified) return undefined
  const { credential, credentialBackedUp } = read.registrationInfo
  return {
    id: credential.id,
    publicKey: Buffer.from(credential.publicKey),
    counter: credential.counter,
    transports: credential.transports ?? [],
    backedUp: credentialBackedUp,
  }
}

export async function signInOptions(site: Site): Promise<PublicKeyCredentialRequestOptionsJSON> {
  const { generateAuthenticationOptions } = await library()
  return generateAuthenticationOptions({ rpID: site.id, userVerification: 'required' })
}

/** The passkey's counter after this use; undefined when the answer does not hold. */
export async function readSignIn(
  site: Site,
  challenge: string,
  answer: unknown,
  passkey: StoredPasskey,
): Promise<{ readonly counter: number } | undefined> {
  const { verifyAuthenticationResponse } = await library()
  const read = await verifyAuthenticationResponse({
    response: answer as AuthenticationResponseJSON,
    expectedChallenge: challenge,
    expectedOrigin: site.origin,
    expectedRPID: site.id,
    requireUserVerification: true,
    credential: {
      id: passkey.id,
      publicKey: new Uint8Array(passkey.publicKey),
      counter: passkey.counter,
      transports: passkey.transports as AuthenticatorTransport[],
    },
  }).catch(() => undefined)
  return read?.verified ? { counter: read.authenticationInfo.newCounter } : undefined
}
