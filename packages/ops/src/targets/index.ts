/** From a description to the files that run it: one folder per target, each pure. */
import { compose } from './compose/compose.ts'
import { env } from './env/env.ts'
import { fluentBit } from './fluent-bit/fluent-bit.ts'
import { image } from './image/image.ts'
import { kubernetes } from './kubernetes/kubernetes.ts'
import { nginx } from './nginx/nginx.ts'
import { pm2 } from './pm2/pm2.ts'
import { prometheus } from './prometheus/prometheus.ts'
import { railway } from './railway/railway.ts'
import { redis } from './redis/redis.ts'
import { systemd } from './systemd/systemd.ts'
import type { Target } from './target.ts'
import { vercel } from './vercel/vercel.ts'
import { workflows } from './workflows/workflows.ts'

export type { Artefact, Target } from './target.ts'

export const targets: readonly Target[] = [
  compose,
  env,
  fluentBit,
  image,
  kubernetes,
  nginx,
  pm2,
  prometheus,
  railway,
  redis,
  systemd,
  vercel,
  workflows,
]
