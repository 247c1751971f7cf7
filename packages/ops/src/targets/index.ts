/** From a description to the files that run it: one folder per target, each pure. */
import { env } from './env/env.ts'
import { kubernetes } from './kubernetes/kubernetes.ts'
import type { Target } from './target.ts'

export type { Artefact, Target } from './target.ts'

export const targets: readonly Target[] = [env, kubernetes]
