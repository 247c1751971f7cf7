import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Rig } from './rig.ts'

/** Every connection that the product began, as the kernel was asked for it. */
export interface ConnectionRecord {
  /** Of `rig.start`: a tracer beside the product, which stays the process that is started. */
  readonly under: readonly string[]
  /** Where they led, over TCP or UDP: `127.0.0.1:5432`. Look-ups of names are among them. */
  read(): readonly string[]
}

/** The claim must name `strace` among its needs. */
export function recordConnections(rig: Rig): ConnectionRecord {
  const file = join(rig.scratch, 'connections')
  return {
    under: [rig.program('strace'), '-D', '-f', '-qq', '--seccomp-bpf', '-e', 'trace=connect', '-o', file],
    read: () => readFileSync(file, 'utf8').split('\n').flatMap(endOf),
  }
}

const sixthForm = /sin6_port=htons\((\d+)\).*inet_pton\(AF_INET6, "([^"]+)"/
const fourthForm = /sin_port=htons\((\d+)\), sin_addr=inet_addr\("([^"]+)"\)/

function endOf(line: string): string[] {
  const [, port, host] = fourthForm.exec(line) ?? sixthForm.exec(line) ?? []
  return port && host ? [`${host}:${port}`] : []
}
