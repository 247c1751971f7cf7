import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

/** Loaded before a program: kills it from inside after it has renamed these many links of slots. The first is the canary's. */
const RENAMED = 4
const rename = fs.renameSync
let renamed = 0
fs.renameSync = (from, to) => {
  rename(from, to)
  if (/slot-\d\.sock$/.test(String(to)) && ++renamed === RENAMED) process.kill(process.pid, 'SIGKILL')
}
syncBuiltinESMExports()
