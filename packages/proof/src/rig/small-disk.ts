import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import type { Rig } from './rig.ts'
import { runProgram } from './run-program.ts'

/** A file system of its own: what fills it fills nothing else. */
export interface SmallDisk {
  readonly path: string
  /** The file that the disk is made of. */
  readonly image: string
  /** Takes all of it but so many bytes. */
  fill(leaveBytes: number): void
  /** The same a little at a time, by a process that has other things to do. */
  fillGently(leaveBytes: number): Promise<void>
  /** Gives back what `fill` took. */
  empty(): void
}

const STEP_BYTES = 1_024 * 1_024
/** As most systems mount their disks: after an error of the file system nothing is written any more. */
const MOUNT_OPTIONS = 'loop,errors=remount-ro'

/** A loop device, unmounted when the experiment has ended. The claim needs `mkfs` and `mount`, and the right to mount. */
export async function mountSmallDisk(rig: Rig, bytes: number): Promise<SmallDisk> {
  const [image, path] = [join(rig.scratch, 'disk.image'), join(rig.scratch, 'disk')]
  writeFileSync(image, '')
  truncateSync(image, bytes)
  mkdirSync(path)
  await run(rig.program('mkfs'), ['-q', '-F', '-m', '0', image])
  await run(rig.program('mount'), ['-o', MOUNT_OPTIONS, image, path])
  rig.defer(() => run(rig.program('umount'), ['-l', path]))
  const ballast = join(path, 'ballast')
  return {
    path,
    image,
    fill: (leaveBytes) => {
      for (const _ of fill(path, ballast, leaveBytes));
    },
    fillGently: async (leaveBytes) => {
      for (const _ of fill(path, ballast, leaveBytes)) await new Promise((resolve) => setImmediate(resolve))
    },
    empty: () => rmSync(ballast, { force: true }),
  }
}

function* fill(path: string, ballast: string, leaveBytes: number): Generator<void> {
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
      yield
    }
  } finally {
    closeSync(file)
  }
}

/** The file system finds an error in itself and writes nothing more; files that are open for writing stay open. */
export function breakDisk({ path }: SmallDisk): void {
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n')
  const device = mounts.find((line) => line.split(' ')[1] === path)?.split(' ')[0]
  if (!device) throw new Error(`nothing is mounted at ${path}`)
  writeFileSync(join('/sys/fs/ext4', basename(device), 'trigger_fs_error'), '1')
}

/** What an administrator does with a disk that broke: check it and mount it again. */
export async function repairDisk(rig: Rig, { path, image }: SmallDisk): Promise<void> {
  await run(rig.program('umount'), ['-l', path])
  const { code, stdout } = await runProgram(rig.program('e2fsck'), ['-p', image])
  if (code !== 0 && code !== CORRECTED) throw new Error(`e2fsck failed: ${stdout.trim()}`)
  await run(rig.program('mount'), ['-o', MOUNT_OPTIONS, image, path])
}

const CORRECTED = 1

async function run(program: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await runProgram(program, args)
  if (code !== 0) throw new Error(`${program} failed: ${stderr.trim()}`)
}
