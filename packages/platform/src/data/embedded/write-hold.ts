import { appendFileSync, closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { isServer, readPostmaster } from './postmaster.ts'

/** Of one length, so that the one takes the place of the other on a disk where nothing else can be written. */
const values = { held: 'on ', free: 'off' } as const
const setting = 'default_transaction_read_only = '
const line = /^default_transaction_read_only = (on |off)$/m

/**
 * From the next transaction on the embedded server only reads, or writes again, whoever asks. Holds for servers that
 * start later too; nothing happens where there is none. Needs no space on the disk, but a file system that can be written.
 */
export function holdWrites(dataDirectory: string, isHeld: boolean): void {
  const cluster = join(dataDirectory, 'database')
  const path = join(cluster, 'postgresql.auto.conf')
  if (!existsSync(path)) return
  const value = isHeld ? values.held : values.free
  const text = readFileSync(path, 'utf8')
  const found = line.exec(text)
  if (!found) appendFileSync(path, `${setting}${value}\n`)
  else if (found[1] === value) return
  else overwrite(path, Buffer.byteLength(text.slice(0, found.index)) + setting.length, value)
  const running = readPostmaster(cluster)
  if (running && isServer(running.pid)) process.kill(running.pid, 'SIGHUP')
}

function overwrite(path: string, position: number, value: string): void {
  const file = openSync(path, 'r+')
  try {
    writeSync(file, value, position)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
