import { arch, cpus, platform, release, totalmem } from 'node:os'
import type { Claim } from './claim.ts'
import type { Machine } from './result.ts'
import { type ProgramName, versionOf } from './rig/programs.ts'

const GiB = 1024 ** 3

/** What the numbers were measured on: without it they mean nothing. */
export function describeMachine(claims: readonly Claim[]): Machine {
  const names = [...new Set(claims.flatMap((claim) => claim.needs ?? []))].sort()
  const versions = names.map((name: ProgramName) => [name, versionOf(name)] as const)
  return {
    os: `${platform()} ${release()} ${arch()}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown processor',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / GiB),
    node: process.versions.node,
    programs: Object.fromEntries(versions.filter((entry): entry is [ProgramName, string] => entry[1] !== undefined)),
  }
}
