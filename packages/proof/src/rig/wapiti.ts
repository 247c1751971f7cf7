import { mkdtempSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Rig } from './rig.ts'
import { runProgram } from './run-program.ts'

export interface WapitiScan {
  /** At most for looking around, and for each module. */
  readonly seconds: number
  readonly url: string
  /** Where it begins, with parameters to attack. */
  readonly starts: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
}

export interface WapitiReport {
  readonly found: readonly string[]
  /** Addresses that it knew when it began to attack. */
  readonly crawled: number
  readonly modules: readonly string[]
}

const modules = ['xss', 'permanentxss']

/** Cross-site scripting in queries and forms, reflected and stored. The claim must name `wapiti` among its needs. */
export async function scanForScripts(
  rig: Rig,
  { url, starts, headers = {}, seconds }: WapitiScan,
): Promise<WapitiReport> {
  const directory = mkdtempSync(join(rig.scratch, 'wapiti-'))
  const out = join(directory, 'report.json')
  const { code, stdout, stderr } = await runProgram(
    rig.program('wapiti'),
    [
      ['-u', `${url}/`, '--scope', 'folder', '-m', modules.join(','), '-l', '2', '-d', '2', '-v', '1'],
      starts.flatMap((start) => ['-s', url + start]),
      Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
      ['--max-scan-time', String(seconds), '--max-attack-time', String(seconds), '--no-bugreport', '--flush-session'],
      ['--store-session', directory, '--store-config', directory, '-f', 'json', '-o', out],
    ].flat(),
    { environment: { HOME: directory }, timeoutMs: 4_000 * seconds },
  )
  if (code !== 0) throw new Error(`wapiti ended with ${code}: ${(stdout + stderr).slice(-500)}`)
  const { vulnerabilities } = JSON.parse(readFileSync(out, 'utf8')) as {
    vulnerabilities: Readonly<Record<string, readonly { readonly info: string; readonly path: string }[]>>
  }
  return {
    found: Object.values(vulnerabilities).flatMap((all) => all.map(({ info, path }) => `${path}: ${info}`)),
    crawled: Number(/found (\d+) URLs and forms/.exec(stdout)?.[1] ?? 0),
    modules: modules.filter((name) => stdout.includes(`Launching module ${name}`)),
  }
}
