import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { searchPath } from './environment.ts'

/** Programs that judge the product and are no part of it. */
const programs = {
  chromium: { names: ['chromium', 'chromium-browser', 'google-chrome'], package: 'chromium' },
  exiftool: { names: ['exiftool'], package: 'libimage-exiftool-perl' },
  faketime: { names: ['faketime'], package: 'faketime' },
  git: { names: ['git'], package: 'git' },
  nginx: { names: ['nginx', '/usr/sbin/nginx'], package: 'nginx' },
  openssl: { names: ['openssl'], package: 'openssl' },
  promtool: { names: ['promtool'], package: 'prometheus' },
  psql: { names: ['psql'], package: 'postgresql-client' },
  slowhttptest: { names: ['slowhttptest'], package: 'slowhttptest' },
  strace: { names: ['strace'], package: 'strace' },
  zzuf: { names: ['zzuf'], package: 'zzuf' },
} as const

export type ProgramName = keyof typeof programs

/** Where it is, or undefined. */
export function findProgram(name: ProgramName): string | undefined {
  const folders = searchPath().split(delimiter).concat('/usr/sbin', '/usr/local/bin')
  for (const candidate of programs[name].names) {
    const paths = candidate.startsWith('/') ? [candidate] : folders.map((folder) => join(folder, candidate))
    const found = paths.find((path) => existsSync(path))
    if (found) return found
  }
  return undefined
}

/** What is missing, in the words of a verdict; undefined when all is there. */
export function missingPrograms(names: readonly ProgramName[]): string | undefined {
  const missing = names.filter((name) => !findProgram(name))
  if (missing.length === 0) return undefined
  return `needs ${missing.join(', ')}, install with: sh scripts/install-proof-tools.sh`
}

export function versionOf(name: ProgramName): string | undefined {
  const path = findProgram(name)
  if (!path) return undefined
  const flag = { exiftool: '-ver', nginx: '-v', slowhttptest: '-h' }[name as string] ?? '--version'
  const { stdout, stderr } = spawnSync(path, [flag], { encoding: 'utf8', timeout: 5_000 })
  return /\d+(\.\d+)+/.exec(`${stdout}${stderr}`)?.[0]
}
