import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Which pages a release serves. On answers that renew a sign-in only. */
export const BUILD_HEADER = 'seaworthy-build'

/** What the build of the pages calls itself; empty where there are no pages. */
export function readWebBuild(webDirectory: string): string {
  const shell = join(webDirectory, 'index.html')
  if (!existsSync(shell)) return ''
  return /<meta name="build" content="([\w-]+)">/.exec(readFileSync(shell, 'utf8'))?.[1] ?? ''
}
