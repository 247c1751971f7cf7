import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

/** Forms in which secrets are known to leak. A key in the text of a test is split, so that it is none. */
const forms: Readonly<Record<string, RegExp>> = {
  'AWS key': /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/g,
  'GitHub token': /\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{50,})/g,
  'GitLab token': /\bglpat-[\w-]{20,}/g,
  'Stripe key': /\b(?:[sr]k_live_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9]{24,})/g,
  'Slack token': /\bxox[abeoprs]-[A-Za-z0-9-]{20,}/g,
  'Google key': /\bAIza[\w-]{35}\b/g,
  'key of an AI provider': /\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{32,}/g,
  'API key of this product': /\bswk_[0-9a-f]{104}\b/g,
  'npm token': /\bnpm_[A-Za-z0-9]{36}\b/g,
  'private key': /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----[\s+]+[A-Za-z0-9+/=]{40}/g,
  'signed token': /\beyJ[\w-]{16,}\.eyJ[\w-]{16,}\.[\w-]{32,}/g,
  'address with a password': /\b[a-z][a-z+]{2,}:\/\/[\w.-]+:(?=[^/\s:@]*\d)(?=[^/\s:@]*[a-z])[\w.~!*-]{12,}@/gi,
  'secret of a setting': /\b[A-Z_]*(?:SECRET|PASSWORD|TOKEN|KEY)['"]?\s*[:=]\s*['"]?[0-9a-f]{64}\b/g,
}

/** Passwords that tests give to nobody's account. */
const ofTests = /hunter2hunter2/

export interface Finding {
  readonly where: string
  readonly form: string
}

/** What looks like a secret in this text; never the secret itself. */
const findSecrets = (text: string, where: string): Finding[] =>
  Object.entries(forms).flatMap(([form, pattern]) =>
    [...text.matchAll(pattern)].filter(([found]) => !ofTests.test(found)).map(() => ({ where, form })),
  )

export const scanFiles = (root: string, files: readonly string[]): Finding[] =>
  files.flatMap((file) => findSecrets(readFileSync(join(root, file), 'latin1'), file))

/** Every file below a folder, without the packages of others. */
export function filesBelow(root: string, folder = root): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.name !== 'node_modules' && entry.name !== '.git')
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return filesBelow(root, path)
      return entry.isFile() ? [relative(root, path)] : []
    })
}

const OUTPUT_BYTES_MAX = 512 * 1_024 * 1_024

export const git = (git: string, root: string, ...args: readonly string[]): string =>
  execFileSync(git, ['-C', root, ...args], { encoding: 'latin1', maxBuffer: OUTPUT_BYTES_MAX })

export const trackedFiles = (program: string, root: string): string[] =>
  git(program, root, 'ls-files', '-z').split('\0').filter(Boolean)

/** Every line that any commit of any branch brought or took away. */
export function scanHistory(program: string, root: string): { readonly commits: number; readonly found: Finding[] } {
  const log = git(
    program,
    root,
    'log',
    '--all',
    '-p',
    '--no-color',
    '--no-textconv',
    '--no-ext-diff',
    '--format=commit %H',
  )
  const commits = log.split(/^commit (?=[0-9a-f]{40}$)/m).slice(1)
  return { commits: commits.length, found: commits.flatMap((text) => findSecrets(text, text.slice(0, 12))) }
}
