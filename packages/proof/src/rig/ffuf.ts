import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Rig } from './rig.ts'
import { runProgram } from './run-program.ts'

export interface FuzzSettings {
  readonly url: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** A list for each keyword; the nth request takes the nth word of each. All are equally long. */
  readonly words: Readonly<Record<string, readonly string[]>>
  readonly atATime?: number
  readonly timeoutMs?: number
}

export interface FuzzAnswer {
  readonly status: number
  readonly words: Readonly<Record<string, string>>
}

/** Every answer that ffuf got, in any order. The claim must name `ffuf` among its needs. */
export async function fuzz(rig: Rig, settings: FuzzSettings): Promise<readonly FuzzAnswer[]> {
  const { url, method = 'GET', headers = {}, body, words, atATime = 20, timeoutMs = 60_000 } = settings
  const directory = mkdtempSync(join(rig.scratch, 'ffuf-'))
  const out = join(directory, 'out.json')
  const lists = Object.entries(words).flatMap(([keyword, list]) => {
    const file = join(directory, keyword)
    writeFileSync(file, list.join('\n'))
    return ['-w', `${file}:${keyword}`]
  })
  const named = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const { code, stderr } = await runProgram(
    rig.program('ffuf'),
    [
      '-s',
      '-mode',
      'pitchfork',
      '-t',
      String(atATime),
      '-u',
      url,
      '-X',
      method,
      '-mc',
      'all',
      '-o',
      out,
      '-of',
      'json',
    ].concat(lists, named, body === undefined ? [] : ['-d', body]),
    { timeoutMs, environment: { HOME: directory } },
  )
  if (code !== 0) throw new Error(`ffuf ended with ${code}: ${stderr.slice(-500)}`)
  const { results } = JSON.parse(readFileSync(out, 'utf8')) as {
    results: { status: number; input: Record<string, string> }[]
  }
  return results.map(({ status, input }) => ({ status, words: input }))
}
