import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { buildOverlays, environmentOf, overlays, workloadsIn } from './manifests.ts'
import type { Rig } from './rig.ts'
import { runProgram } from './run-program.ts'

/** What a process is given, by name: a value, or `secret` for one that is mounted or kept elsewhere. */
export type Given = Readonly<Record<string, string>>

const SECRET = 'secret'
const PATIENCE_MS = 60_000
type Role = 'web' | 'worker'

interface ComposeFile {
  readonly services: Readonly<Record<string, { readonly environment?: Readonly<Record<string, string>> }>>
}

/** The settings of every rendered place and role, read back from the files as their consumers read them. */
export async function readGiven(rig: Rig): Promise<Readonly<Record<string, Given>>> {
  const out = join(rig.scratch, 'settings')
  mkdirSync(out, { recursive: true })
  const main = join(rig.product, 'packages', 'cli', 'dist', 'main.js')
  const rendered = await runProgram(process.execPath, [main, 'render', 'env', 'compose', '--out', out], {
    timeoutMs: PATIENCE_MS,
  })
  if (rendered.code !== 0) throw new Error(`seaworthy render failed: ${rendered.stderr}`)
  const text = (...path: string[]): string => readFileSync(join(out, 'deploy', ...path), 'utf8')
  const compose = (file: string, role: Role): Given =>
    normalize((parse(text(file)) as ComposeFile).services[role]?.environment ?? {})
  const { manifests } = await buildOverlays(rig)
  const pods = (overlay: (typeof overlays)[number], role: Role): Given => {
    const workload = workloadsIn(manifests[overlay]).find(
      ({ manifest }) => manifest.kind === 'Deployment' && manifest.metadata.name.endsWith(role),
    )
    return workload ? normalize(environmentOf(manifests[overlay], workload)) : {}
  }
  const places = {
    'compose-development': 'docker-compose.yml',
    'compose-production': 'docker-compose.prod.yml',
  } as const
  const given: Record<string, Given> = {}
  for (const [place, file] of Object.entries(places)) {
    given[`${place} env`] = readExample(text('env', `${place}.env.example`))
    for (const role of ['web', 'worker'] as const) given[`${place} ${role}`] = compose(file, role)
  }
  for (const overlay of overlays) {
    given[`kubernetes-${overlay} env`] = readExample(text('env', `kubernetes-${overlay}.env.example`))
    for (const role of ['web', 'worker'] as const) given[`kubernetes-${overlay} ${role}`] = pods(overlay, role)
  }
  return given
}

/** `NAME_FILE` gives NAME; what is empty is not given. */
const normalize = (environment: Readonly<Record<string, string>>): Given =>
  Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      name.endsWith('_FILE') && value.startsWith('/') && !name.startsWith('DB_CA')
        ? [[name.slice(0, -'_FILE'.length), SECRET]]
        : String(value) === ''
          ? []
          : [[name, String(value)]],
    ),
  )

/** Lines `NAME=value`, and `#NAME=` for a secret. */
function readExample(text: string): Given {
  const lines = text.matchAll(/^(#?)([A-Z][A-Z0-9_]*)=(.*)$/gm)
  return Object.fromEntries(
    [...lines].flatMap(([, hidden, name = '', value = '']) =>
      hidden ? [[name, SECRET]] : value === '' ? [] : [[name, value]],
    ),
  )
}
