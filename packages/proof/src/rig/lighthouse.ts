import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { bareEnvironment } from './environment.ts'
import { freePort } from './ports.ts'
import type { Rig } from './rig.ts'

/** One visit of a page with an empty cache, as Lighthouse judges it. */
export interface Visit {
  readonly path: string
  /** 0 to 100. */
  readonly score: number
  readonly lcpMs: number
  readonly tbtMs: number
  readonly cls: number
}

/** Each page so many times, in turns, with the throttling of a phone that Lighthouse has by default. */
export async function judgeWithLighthouse(
  rig: Rig,
  { url, paths, times }: { readonly url: string; readonly paths: readonly string[]; readonly times: number },
): Promise<readonly Visit[]> {
  const { chromium } = await import('playwright-core')
  const port = await freePort()
  const args = ['--no-sandbox', `--remote-debugging-port=${port}`]
  const browser = await chromium.launch({ executablePath: rig.program('chromium'), args })
  rig.defer(() => browser.close())
  const script = join(rig.scratch, 'judge.mjs')
  writeFileSync(script, judge(rig.program('lighthouse')))
  const asked = [String(port), url, String(times), ...paths]
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...asked], {
    env: { ...bareEnvironment(), NO_COLOR: '1' },
    maxBuffer: 1 << 24,
  })
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Visit)
}

/** Its own program starts anew for each page; its parts, asked from one process, measure the same in a third of the time. */
const judge = (program: string): string => `
const { default: lighthouse } = await import(${JSON.stringify(`${program}/core/index.js`)})
const [port, url, times, ...paths] = process.argv.slice(2)
const visit = async (path) =>
  (await lighthouse(url + path, { port: Number(port), onlyCategories: ['performance'], logLevel: 'silent' })).lhr
for (let time = 0; time < Number(times); time++)
  for (const path of paths) {
    // Now and then it misses the beginning of its own recording, and says: please run Lighthouse again.
    let lhr = await visit(path)
    if (lhr.runtimeError) lhr = await visit(path)
    if (lhr.runtimeError) throw new Error(path + ': ' + lhr.runtimeError.message)
    if (new URL(lhr.finalDisplayedUrl).pathname !== path) throw new Error(path + ' led to ' + lhr.finalDisplayedUrl)
    const of = (id) => lhr.audits[id].numericValue
    console.log(JSON.stringify({
      path, score: lhr.categories.performance.score * 100, lcpMs: of('largest-contentful-paint'),
      tbtMs: of('total-blocking-time'), cls: of('cumulative-layout-shift'),
    }))
  }
process.exit(0)
`
