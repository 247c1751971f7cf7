import { actions, type PinnedAction, pinOf } from './actions.ts'

/** A step, a job and a workflow, as far as ours need them. */
export interface Step {
  readonly name?: string
  readonly id?: string
  readonly if?: string
  readonly uses?: string
  readonly with?: Readonly<Record<string, string | number | boolean>>
  readonly run?: string
  readonly env?: Readonly<Record<string, string>>
}

export interface Job {
  readonly name?: string
  readonly if?: string
  readonly needs?: string | readonly string[]
  readonly 'runs-on'?: string | readonly string[]
  readonly 'timeout-minutes'?: number
  readonly permissions?: Readonly<Record<string, 'read' | 'write' | 'none'>>
  readonly environment?: string | { readonly name: string; readonly url?: string }
  readonly concurrency?: { readonly group: string; readonly 'cancel-in-progress': boolean }
  readonly outputs?: Readonly<Record<string, string>>
  readonly uses?: string
  readonly with?: Readonly<Record<string, string>>
  readonly secrets?: Readonly<Record<string, string>>
  readonly steps?: readonly Step[]
}

export interface Workflow {
  readonly name: string
  readonly on: object
  readonly permissions: Readonly<Record<string, 'read' | 'none'>>
  readonly concurrency: { readonly group: string; readonly 'cancel-in-progress': boolean | string }
  readonly jobs: Readonly<Record<string, Job>>
}

const NODE_VERSION = 24

export const use = (action: PinnedAction, settings: Step['with'] = {}): Step => ({
  uses: pinOf(action),
  ...(Object.keys(settings).length ? { with: settings } : {}),
})

/** The sources without the token that fetched them. With history where it is looked at. */
export const checkout = (depth?: 'history'): Step =>
  use(actions.checkout, { 'persist-credentials': false, ...(depth ? { 'fetch-depth': 0 } : {}) })

/** The sources and Node: enough for what needs no packages. */
export const sources = (depth?: 'history'): readonly Step[] => [
  checkout(depth),
  use(actions.setupNode, { 'node-version': NODE_VERSION }),
]

/** The sources, Node, and the packages as locked. Install scripts run only where .npmrc and allowScripts let them. */
export const prepared = (depth?: 'history'): readonly Step[] => [
  checkout(depth),
  use(actions.setupNode, { 'node-version': NODE_VERSION, cache: 'npm' }),
  { run: 'npm ci' },
]

/** A job on a machine of GitHub that may only read the sources. */
export const job = (name: string, minutes: number, steps: readonly Step[], more: Partial<Job> = {}): Job => ({
  name,
  'runs-on': 'ubuntu-24.04',
  'timeout-minutes': minutes,
  permissions: { contents: 'read' },
  ...more,
  steps,
})

/** One run per branch: a newer push makes the older run useless, but on the main branch each may finish. */
export const perBranch = (name: string): Workflow['concurrency'] => ({
  group: `${name}-${expression('github.ref')}`,
  'cancel-in-progress': expression("github.ref != 'refs/heads/main'"),
})

/** What GitHub puts in when it reads the file. Never in `run`: there it goes by way of `env`. */
export const expression = (text: string): string => `\${{ ${text} }}`
