/** WebAuthn as browsers speak it: options and answers are JSON, the ceremony is the device's. */
type Json = Record<string, unknown>

interface JsonCeremonies {
  parseCreationOptionsFromJSON(options: Json): PublicKeyCredentialCreationOptions
  parseRequestOptionsFromJSON(options: Json): PublicKeyCredentialRequestOptions
}

/** Undefined where the browser has no passkeys. */
function ceremonies(): JsonCeremonies | undefined {
  const found = globalThis.PublicKeyCredential as unknown as Partial<JsonCeremonies> | undefined
  return found?.parseCreationOptionsFromJSON && found.parseRequestOptionsFromJSON
    ? (found as JsonCeremonies)
    : undefined
}

export const hasPasskeys = (): boolean => ceremonies() !== undefined

/** Throws in words for people when they said no, or the device could not. */
export async function makePasskey(options: Json): Promise<Json> {
  const publicKey = ceremonies()?.parseCreationOptionsFromJSON(options)
  return toJson(publicKey && (await navigator.credentials.create({ publicKey }).catch(inWords)))
}

export async function askPasskey(options: Json): Promise<Json> {
  const publicKey = ceremonies()?.parseRequestOptionsFromJSON(options)
  return toJson(publicKey && (await navigator.credentials.get({ publicKey }).catch(inWords)))
}

function toJson(credential: Credential | null | undefined): Json {
  if (!credential) throw new Error('This browser gave no passkey.')
  return (credential as PublicKeyCredential).toJSON() as unknown as Json
}

function inWords(error: unknown): never {
  const name = error instanceof Error ? error.name : ''
  if (name === 'InvalidStateError') throw new Error('This device has a passkey for you already.')
  if (name === 'NotAllowedError') throw new Error('Nothing was confirmed on your device. Try again when you are ready.')
  if (name === 'SecurityError')
    throw new Error('Passkeys belong to the address that this service is set up for. Open it there.')
  throw error
}
