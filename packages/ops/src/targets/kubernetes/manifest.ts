import { stringify } from 'yaml'
import type { Description } from '../../description/index.ts'
import { type Artefact, rendered } from '../target.ts'

/** An object of Kubernetes, or a part of one that kustomize merges into it by kind and name. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly labels?: Labels
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly [field: string]: unknown
}

export type Labels = Readonly<Record<string, string>>

/** What a pod is for: the value of `app.kubernetes.io/component`, and the end of the names of its objects. */
export type Component = 'web' | 'worker' | 'migrate'

/** `seaworthy-web`. */
export const nameOf = ({ name }: Description, part: string): string => `${name}-${part}`

/** What finds the pods of a component. It can never be changed again, so it has no version. */
export const selectorOf = ({ name }: Description, component?: Component): Labels => ({
  'app.kubernetes.io/name': name,
  'app.kubernetes.io/instance': name,
  ...(component ? { 'app.kubernetes.io/component': component } : {}),
})

export const labelsOf = (description: Description, component?: Component): Labels => ({
  ...selectorOf(description, component),
  'app.kubernetes.io/version': description.version,
  'app.kubernetes.io/part-of': description.name,
  'app.kubernetes.io/managed-by': 'kustomize',
})

const FOLDER = 'deploy/k8s'

/** Several objects in one file, with the reason why they are as they are on top. */
export function fileOf(path: string, why: string, manifests: readonly object[]): Artefact {
  const comment = why
    .split('\n')
    .map((line) => `# ${line}\n`)
    .join('')
  return { path: `${FOLDER}/${path}`, text: `${rendered()}${comment}${manifests.map(toYaml).join('---\n')}` }
}

/** As YAML 1.1 reads it, which Kubernetes does: there `on` and `no` need quotes. */
const toYaml = (value: object): string =>
  stringify(value, { schema: 'yaml-1.1', lineWidth: 0, aliasDuplicateObjects: false })
