/** From a description to the files that run it: one folder per target, each pure. */
import { compose } from './compose/compose.ts'
import { env } from './env/env.ts'
import { image } from './image/image.ts'
import { kubernetes } from './kubernetes/kubernetes.ts'
import { nginx } from './nginx/nginx.ts'
import { railway } from './railway/railway.ts'
import type { Target } from './target.ts'
import { vercel } from './vercel/vercel.ts'
import { workflows } from './workflows/workflows.ts'

export type { Artefact, Target } from './target.ts'

export const targets: readonly Target[] = [env, image, nginx, compose, kubernetes, workflows, vercel, railway]
