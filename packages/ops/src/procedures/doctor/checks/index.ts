import { certificate } from './certificate.ts'
import type { Check } from './check.ts'
import { care, connections, database, replica, rights, schema, transactions, writes } from './database.ts'
import { deploys, traffic } from './deploys.ts'
import { keyAge, keys, kit } from './keys.ts'
import { clock, disk, memory, node, tools } from './machine.ts'
import { drills, mail, notifications, recovery, redis, scanner, storage } from './others.ts'
import { errors, latency, ports, processMemory, refused, restarts, service } from './service.ts'
import { files, secrets, settings } from './settings.ts'
import { audit, deadLetters, jobs, refusals, stolen } from './work.ts'

/** Everything that is looked at, in the order in which one thing stands on another. */
export const checks = {
  settings,
  secrets,
  files,
  node,
  disk,
  memory,
  clock,
  ports,
  database,
  writes,
  schema,
  rights,
  connections,
  transactions,
  care,
  replica,
  tools,
  keys,
  kit,
  keyAge,
  recovery,
  drills,
  redis,
  storage,
  scanner,
  mail,
  service,
  restarts,
  processMemory,
  errors,
  latency,
  refused,
  jobs,
  deadLetters,
  audit,
  stolen,
  refusals,
  certificate,
  deploys,
  traffic,
  notifications,
} as const satisfies Readonly<Record<string, Check>>

export type CheckName = keyof typeof checks
