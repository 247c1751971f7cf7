import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Json, Manifest } from './manifests.ts'
import type { Rig } from './rig.ts'

interface Validate {
  (data: unknown): boolean
  errors?: readonly { readonly instancePath: string; readonly message?: string; readonly keyword: string }[] | null
}

/**
 * What the schemas of Kubernetes say against these objects. They let fields pass that nobody knows, and are compiled
 * into functions that read each field that they know: whatever they have not read is a typing error. The claim needs
 * `kubernetes-models`.
 */
export function schemaFaults(rig: Rig, manifests: readonly Manifest[]): readonly string[] {
  const require = createRequire(join(rig.program('kubernetes-models'), 'package.json'))
  return manifests.flatMap((manifest) => {
    const name = `${manifest.kind} ${manifest.metadata.name}`
    const validate = validatorOf(require, manifest)
    if (!validate) return [`${name}: ${manifest.apiVersion} has no such kind`]
    const { watched, unread } = watchReads(manifest.json)
    const faults = validate(watched) ? [] : (validate.errors ?? [])
    return [
      ...faults.map(({ instancePath, keyword }) => `${name}${instancePath}: ${keyword}`),
      ...unread().map((path) => `${name}${path}: there is no such field`),
    ]
  })
}

/** `autoscaling/v2` HorizontalPodAutoscaler: IoK8sApiAutoscalingV2HorizontalPodAutoscaler. */
function validatorOf(require: NodeJS.Require, { apiVersion, kind }: Manifest): Validate | undefined {
  const [version = '', group = 'core'] = apiVersion.split('/').reverse()
  const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`
  const file = `IoK8sApi${capital(group.split('.')[0] ?? '')}${capital(version)}${kind}.js`
  try {
    return (require(`./_schemas/${file}`) as { validate: Validate }).validate
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined
    throw error
  }
}

/** The value, and which fields of it nobody has looked at since. Enumerating an object is looking at all of it. */
function watchReads(value: Json): { watched: unknown; unread: () => readonly string[] } {
  const objects: { path: string; keys: readonly string[]; read: Set<string> }[] = []
  const watch = (part: Json, path: string): unknown => {
    if (part === null || typeof part !== 'object') return part
    if (Array.isArray(part)) return part.map((item, i) => watch(item, `${path}/${i}`))
    const copy = Object.fromEntries(Object.entries(part).map(([key, item]) => [key, watch(item, `${path}/${key}`)]))
    const read = new Set<string>()
    const keys = Object.keys(copy)
    objects.push({ path, keys, read })
    return new Proxy(copy, {
      get: (target, key) => {
        if (typeof key === 'string') read.add(key)
        return Reflect.get(target, key) as unknown
      },
      ownKeys: (target) => {
        for (const key of keys) read.add(key)
        return Reflect.ownKeys(target)
      },
    })
  }
  return {
    watched: watch(value, ''),
    unread: () =>
      objects.flatMap(({ path, keys, read }) => keys.filter((key) => !read.has(key)).map((key) => `${path}/${key}`)),
  }
}
