import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { bareEnvironment } from './environment.ts'
import type { Rig } from './rig.ts'

/** Copies of some bytes, each with other bits flipped by zzuf: the same for the same seed. */
export async function mutationsOf(rig: Rig, bytes: Buffer, count: number): Promise<Buffer[]> {
  const file = join(rig.scratch, 'original')
  writeFileSync(file, bytes)
  const first = Math.floor(rig.random() * 1e6)
  const script = 'for seed in $(seq "$2" "$3"); do "$0" -r 0.0002:0.008 -s "$seed" <"$1"; done'
  const { stdout } = await promisify(execFile)(
    'sh',
    ['-c', script, rig.program('zzuf'), file, String(first), String(first + count - 1)],
    { env: bareEnvironment(), encoding: 'buffer', maxBuffer: bytes.length * count + 1 },
  )
  // Each keeps the length.
  return Array.from({ length: count }, (_, i) => stdout.subarray(i * bytes.length, (i + 1) * bytes.length))
}

export interface BareAnswer {
  readonly statuses: readonly number[]
  /** The other side neither answered nor closed in time. */
  readonly held: boolean
  readonly text: string
}

/** Sends bytes on a connection of their own, says that nothing more comes, and waits for the other side to close. */
export function sendAndClose(port: number, bytes: Buffer, patienceMs = 15_000): Promise<BareAnswer> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
    let text = ''
    let held = false
    const timer = setTimeout(() => {
      held = true
      socket.destroy()
    }, patienceMs)
    socket.on('connect', () => socket.end(bytes))
    socket.on('data', (data) => {
      text += data.toString('latin1')
    })
    socket.on('error', () => undefined)
    socket.on('end', () => socket.destroy())
    socket.on('close', () => {
      clearTimeout(timer)
      const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => Number(match[1]))
      resolve({ statuses, held, text: text.slice(0, 500) })
    })
  })
}
