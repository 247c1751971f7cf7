import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import type { Rig } from './rig.ts'
import { runProgram } from './run-program.ts'

export type Json = string | number | boolean | null | readonly Json[] | { readonly [field: string]: Json }

/** An object of Kubernetes as `kubectl apply -k` would send it. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
  /** As it was printed. */
  readonly text: string
  readonly json: Json
}

export const overlays = ['development', 'staging', 'production'] as const
type Overlay = (typeof overlays)[number]

const PATIENCE_MS = 60_000

export interface BuiltOverlays {
  readonly manifests: Readonly<Record<Overlay, readonly Manifest[]>>
  /** What kubectl had to say about them: deprecated fields, and why it failed. */
  readonly complaints: readonly string[]
}

/** Renders the files for Kubernetes as an operator does, and lets kubectl build every overlay. The claim needs `kubectl`. */
export async function buildOverlays(rig: Rig): Promise<BuiltOverlays> {
  const out = join(rig.scratch, 'rendered')
  mkdirSync(out, { recursive: true })
  const main = join(rig.product, 'packages', 'cli', 'dist', 'main.js')
  const rendered = await runProgram(process.execPath, [main, 'render', 'kubernetes', '--out', out], {
    timeoutMs: PATIENCE_MS,
  })
  if (rendered.code !== 0) throw new Error(`seaworthy render failed: ${rendered.stderr}`)
  const complaints: string[] = []
  const build = async (overlay: Overlay): Promise<readonly Manifest[]> => {
    const folder = join(out, 'deploy', 'k8s', 'overlays', overlay)
    const built = await runProgram(rig.program('kubectl'), ['kustomize', folder], { timeoutMs: PATIENCE_MS })
    if (built.stderr) complaints.push(`${overlay}: ${built.stderr.trim()}`)
    return parseManifests(built.stdout)
  }
  const [development, staging, production] = await Promise.all(overlays.map(build))
  return {
    manifests: { development: development ?? [], staging: staging ?? [], production: production ?? [] },
    complaints,
  }
}

/** Each document with the text that it came from. */
export const parseManifests = (text: string): readonly Manifest[] =>
  parseAllDocuments(text).map((document) => {
    const json = document.toJS() as Json & Pick<Manifest, 'apiVersion' | 'kind' | 'metadata'>
    const { apiVersion, kind, metadata } = json
    return { apiVersion, kind, metadata, json, text: String(document) }
  })

/** What is at a path of fields; undefined where there is none. */
export function at(json: Json | undefined, ...path: readonly (string | number)[]): Json | undefined {
  let value: Json | undefined = json
  for (const part of path) {
    if (value === null || typeof value !== 'object') return undefined
    value = (value as Readonly<Record<string | number, Json>>)[part]
  }
  return value
}

export const list = (json: Json | undefined): readonly Json[] => (Array.isArray(json) ? json : [])

export const texts = (json: Json | undefined): Readonly<Record<string, string>> =>
  json !== null && typeof json === 'object' && !Array.isArray(json) ? (json as Readonly<Record<string, string>>) : {}

/** What runs pods: a Deployment or a Job, its pods' labels, and their one container. */
export interface Workload {
  readonly manifest: Manifest
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly spec: Json | undefined
  readonly container: Json | undefined
}

export const workloadsIn = (manifests: readonly Manifest[]): readonly Workload[] =>
  manifests
    .filter(({ kind }) => kind === 'Deployment' || kind === 'Job')
    .map((manifest) => {
      const spec = at(manifest.json, 'spec', 'template', 'spec')
      return {
        manifest,
        name: `${manifest.kind} ${manifest.metadata.name}`,
        labels: texts(at(manifest.json, 'spec', 'template', 'metadata', 'labels')),
        spec,
        container: at(spec, 'containers', 0),
      }
    })

/** What a ConfigMap that is rendered gives to a workload, and the variables beside it. */
export function environmentOf(
  manifests: readonly Manifest[],
  { container }: Workload,
): Readonly<Record<string, string>> {
  const maps = list(at(container, 'envFrom')).map((from) => at(from, 'configMapRef', 'name'))
  const given = manifests.filter(({ kind, metadata }) => kind === 'ConfigMap' && maps.includes(metadata.name))
  const own = list(at(container, 'env')).map(
    (entry) => [String(at(entry, 'name')), String(at(entry, 'value'))] as const,
  )
  return { ...Object.assign({}, ...given.map(({ json }) => texts(at(json, 'data')))), ...Object.fromEntries(own) }
}
