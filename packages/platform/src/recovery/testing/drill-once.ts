import { Secret } from '@seaworthy/core'
import { ringOf } from '../../vault/index.ts'
import type { Order } from '../drill/attempt.ts'
import { drill } from '../drill/drill.ts'
import { openDirectoryShelf } from '../drivers/directory.ts'

/** `drill-once.ts STORE PLACE KEY INSIDE...`: a drill that somebody may kill. It says `using` when the service would run. */
const [store = '', place = '', key = '', ...inside] = process.argv.slice(2)
const use: Order['use'] = ['sh', '-c', 'echo \'{"kind":"ready","seconds":0}\'; sleep 600']
await drill({
  shelf: openDirectoryShelf(store),
  bucket: undefined,
  ring: ringOf(new Secret(key)),
  place,
  hidden: [],
  memoryBytes: 2 ** 30,
  restic: undefined,
  columns: [],
  auditRetentionMs: 0,
  live: undefined,
  inside,
  use,
  signal: new AbortController().signal,
  tell: (step) => void process.stdout.write(`${step}\n`),
})
