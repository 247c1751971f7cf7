import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Manifest } from './manifests.ts'
import type { Rig } from './rig.ts'

interface Report {
  readonly runs: readonly {
    readonly results: readonly {
      readonly ruleId: string
      readonly message: { readonly text: string }
      readonly locations: readonly { readonly logicalLocations?: readonly { readonly fullyQualifiedName?: string }[] }[]
    }[]
  }[]
}

interface Validator {
  preload(config: object): Promise<void>
  getPlugins(): readonly {
    readonly metadata: { readonly name: string }
    readonly rules: readonly { readonly name: string }[]
  }[]
  validate(what: { readonly resources: readonly object[] }): Promise<Report>
}

interface Monokle {
  readonly MonokleValidator: new (parts: object) => Validator
  readonly DefaultPluginLoader: new () => object
  readonly ResourceParser: new () => object
  readonly SchemaLoader: new () => object
  readonly DisabledFixer: new () => object
}

const judging = ['pod-security-standards', 'practices']
/** These load schemas and policies from the network, or do without the other objects. */
const idle = ['resource-links', 'kubernetes-schema', 'open-policy-agent', 'yaml-syntax']
/** Goes by names of variables: it takes the path of a mounted file for a secret. The claim looks for secrets itself. */
const mistaken = 'practices/no-secret-env'

export interface PodJudgement {
  readonly rules: number
  readonly faults: readonly string[]
}

/** The restricted profile of the Pod Security Standards and good practice, as Monokle judges them. The claim needs `monokle`. */
export async function judgePods(rig: Rig, manifests: readonly Manifest[]): Promise<PodJudgement> {
  const folder = rig.program('monokle')
  const entry = createRequire(join(folder, 'package.json')).resolve('@monokle/validation')
  const monokle = (await import(pathToFileURL(entry).href)) as Monokle
  const validator = new monokle.MonokleValidator({
    loader: new monokle.DefaultPluginLoader(),
    parser: new monokle.ResourceParser(),
    schemaLoader: new monokle.SchemaLoader(),
    fixer: new monokle.DisabledFixer(),
    suppressors: [],
  })
  const plugins = Object.fromEntries([...judging.map((name) => [name, true]), ...idle.map((name) => [name, false])])
  await validator.preload({ plugins })
  const names = validator
    .getPlugins()
    .filter(({ metadata }) => judging.includes(metadata.name))
    .flatMap(({ metadata, rules }) => rules.map((rule) => `${metadata.name}/${rule.name}`))
    .filter((name) => name !== mistaken)
  const rules = { ...Object.fromEntries(names.map((name) => [name, 'err'])), [mistaken]: false }
  await validator.preload({ plugins, rules })
  const { runs } = await validator.validate({ resources: manifests.map(toResource) })
  const faults = runs.flatMap(({ results }) =>
    results.map(({ ruleId, message, locations }) => {
      const where = locations.flatMap(({ logicalLocations = [] }) =>
        logicalLocations.map((one) => one.fullyQualifiedName),
      )
      return `${ruleId} ${message.text} ${where.find(Boolean) ?? ''}`
    }),
  )
  return { rules: names.length, faults }
}

const toResource = ({ apiVersion, kind, metadata, text, json }: Manifest, index: number): object => ({
  id: String(index),
  fileId: String(index),
  filePath: `${index}.yaml`,
  fileOffset: 0,
  name: metadata.name,
  namespace: metadata.namespace,
  apiVersion,
  kind,
  content: json,
  text,
})
