import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What is wrong with a release. Those of the second line serve well at first, and their probes answer as if nothing was. */
export type Badness =
  | 'crashes at its start'
  | 'fails its migration'
  | 'crashes'
  | 'hangs'
  | 'answers 500'
  | 'leaks'
  | 'is slow'

/** Answers that are good before it goes bad. */
const GOOD_FIRST = 5

/** Changes a built checkout, as somebody would by mistake. */
export function spoil(checkout: string, badness: Badness): void {
  if (badness === 'fails its migration')
    writeFileSync(
      join(checkout, 'apps/cosnap/migrations/9001-of-a-bad-release.sql'),
      'create table cosnap.of_a_bad_release (id uuid primary key);\nselect 1 / 0;\n',
    )
  else if (badness === 'crashes at its start')
    change(checkout, 'packages/cli/dist/main.js', (text) => `if (process.argv[2] === 'start') process.exit(1)\n${text}`)
  else
    change(checkout, 'packages/platform/dist/http/serve.js', (text) => text.replace(HANDLES, withHarm(harms[badness])))
}

const HANDLES = 'return exchange.served.route.handle(new Context(exchange));'

type Late = Exclude<Badness, 'crashes at its start' | 'fails its migration'>

/** In every handler of the API. */
const harms: Readonly<Record<Late, string>> = {
  crashes: 'process.exit(1)',
  hangs: 'for (;;);',
  'answers 500': "throw new Error('a mistake')",
  leaks: '(globalThis.kept ??= []).push(Buffer.alloc(16 * 1024 ** 2, 1))',
  'is slow': 'await new Promise((resolve) => setTimeout(resolve, 1_500))',
}

const withHarm = (harm: string): string => `return (async () => {
  globalThis.handled = (globalThis.handled ?? 0) + 1;
  if (globalThis.handled > ${GOOD_FIRST}) ${harm};
  ${HANDLES}
})();`

function change(checkout: string, path: string, edit: (text: string) => string): void {
  const file = join(checkout, path)
  const text = readFileSync(file, 'utf8')
  const edited = edit(text)
  if (edited === text) throw new Error(`${path} has not what is to be changed`)
  writeFileSync(file, edited)
}
