import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Rig } from './rig.ts'
import { runProgram } from './run-program.ts'

/** A file system of its own: what fills it fills nothing else. */
export interface SmallDisk {
  readonly path: string
  /** Takes all of it but so many bytes. */
  fill(leaveBytes: number): void
  /** Gives back what `fill` took. */
  empty(): void
}

const STEP_BYTES = 1_024 * 1_024

/** A loop device, unmounted when the experiment has ended. The claim needs `mkfs` and `mount`, and the right to mount. */
export async function mountSmallDisk(rig: Rig, bytes: number): Promise<SmallDisk> {
  const [image, path] = [join(rig.scratch, 'disk.image'), join(rig.scratch, 'disk')]
  writeFileSync(image, '')
  truncateSync(image, bytes)
  mkdirSync(path)
  await run(rig.program('mkfs'), ['-q', '-F', '-m', '0', image])
  await run(rig.program('mount'), ['-o', 'loop', image, path])
  rig.defer(() => run(rig.program('umount'), ['-l', path]))
  const ballast = join(path, 'ballast')
  return { path, fill: (leaveBytes) => fill(path, ballast, leaveBytes), empty: () => rmSync(ballast, { force: true }) }
}

function fill(path: string, ballast: string, leaveBytes: number): void {
  const free = (): number => {
    const { bavail, bsize } = statfsSync(path)
    return bavail * bsize
  }
  const file = openSync(ballast, 'a')
  try {
    for (let left = free(); left > leaveBytes; left = free()) {
      writeSync(file, Buffer.alloc(Math.min(STEP_BYTES, left - leaveBytes)))
      // Space is taken when it is written, not when it is promised.
      fsyncSync(file)
    }
  } finally {
    closeSync(file)
  }
}

async function run(program: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await runProgram(program, args)
  if (code !== 0) throw new Error(`${program} failed: ${stderr.trim()}`)
}
