import { type Description, fromSecret, type Place, type Role, valuesOf } from '../../description/index.ts'
import { labelsOf, type Manifest, nameOf } from './manifest.ts'

/** The places that an overlay is rendered for, by the name of the overlay. */
export const overlays = {
  development: 'kubernetes-development',
  staging: 'kubernetes-staging',
  production: 'kubernetes-production',
} as const satisfies Record<string, Place>

export type Overlay = keyof typeof overlays
export const overlayNames = Object.keys(overlays) as readonly Overlay[]

const podRoles = ['web', 'worker', 'migrate'] as const satisfies readonly Role[]

/** Where the secrets of an installation are mounted, each a file with the name of its setting. */
export const SECRETS = '/run/secrets/app'
/** Where only the migration has the login that owns the tables. */
export const OWNER = '/run/secrets/owner'

type Variable = readonly [name: string, value: string]

/** Plain settings, as a ConfigMap holds them. An empty one is not set. */
const plainSettings = (description: Description, overlay: Overlay, role: Role): readonly Variable[] =>
  withAuthority(
    valuesOf(description, overlays[overlay], role).flatMap(([name, value]) =>
      value === fromSecret || value === '' ? [] : [[name, value] as const],
    ),
  )

/** Redis has no setting for who signed its certificate: Node believes the database's authority about everybody. */
const withAuthority = (variables: readonly Variable[]): readonly Variable[] =>
  variables.flatMap(([name, value]) =>
    name === 'DB_CA_FILE'
      ? [
          [name, value],
          ['NODE_EXTRA_CA_CERTS', value],
        ]
      : [[name, value]],
  )

/** For each secret the file that it is read from. */
export const secretFiles = (description: Description, overlay: Overlay, role: Role): readonly Variable[] =>
  valuesOf(description, overlays[overlay], role).flatMap(([name, value]) =>
    value === fromSecret
      ? [[`${name}_FILE`, `${role === 'migrate' && name === 'DATABASE_URL' ? OWNER : SECRETS}/${name}`] as const]
      : [],
  )

/** What is the same at every place: the base says it. */
export function commonTo(of: (overlay: Overlay) => readonly Variable[]): readonly Variable[] {
  const [first = [], ...others] = overlayNames.map((overlay) => new Map(of(overlay)))
  return [...first].filter(([name, value]) => others.every((other) => other.get(name) === value))
}

/** What a place says besides. */
export function besides(of: (overlay: Overlay) => readonly Variable[], overlay: Overlay): readonly Variable[] {
  const common = new Set(commonTo(of).map(([name]) => name))
  return of(overlay).filter(([name]) => !common.has(name))
}

export const toEnv = (variables: readonly Variable[]): readonly object[] =>
  variables.map(([name, value]) => ({ name, value }))

/** One for each role: a web process and a worker are the same program with other settings. */
export const configMaps = (description: Description): readonly Manifest[] =>
  podRoles.map((role) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: nameOf(description, role), labels: labelsOf(description, role) },
    data: Object.fromEntries(commonTo((overlay) => plainSettings(description, overlay, role))),
  }))

export const configPatches = (description: Description, overlay: Overlay): readonly Manifest[] =>
  podRoles.map((role) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: nameOf(description, role) },
    data: Object.fromEntries(besides((one) => plainSettings(description, one, role), overlay)),
  }))

/** Changes with every setting of a role, so that pods start again when one has changed. FNV-1a, 32 bits. */
export function settingsMark(description: Description, overlay: Overlay, role: Role): string {
  let mark = 0x811c9dc5
  for (const character of JSON.stringify(plainSettings(description, overlay, role)))
    mark = Math.imul(mark ^ (character.codePointAt(0) ?? 0), 0x01000193)
  return (mark >>> 0).toString(16).padStart(8, '0')
}
