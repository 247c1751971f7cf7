import { spawnSync } from 'node:child_process'
import { lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What the machine allows a trial to have for itself. */
export interface Allowed {
  readonly files: boolean
  readonly network: boolean
  /** It ends with whoever started it, whatever happens. */
  readonly tie: boolean
  readonly limits: boolean
}

const isRoot = (): boolean => process.getuid?.() === 0

/** Mounts and process numbers of its own: when the first process ends the kernel ends all others. */
const ROOM = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc']
const roomOf = (root: boolean): readonly string[] => [
  'unshare',
  ...ROOM,
  ...(root ? [] : ['--user', '--map-root-user']),
  '--',
]

const works = ([command = '', ...args]: readonly string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0

/** Tries each, in processes that end at once. */
export function findAllowed(): Allowed {
  const room = roomOf(isRoot())
  const network = ['unshare', '--net', '--', 'ip', 'link', 'set', 'lo', 'up']
  const files = works([...room, 'sh', '-c', 'mount -t tmpfs tmpfs /tmp && mount --bind /dev/null /dev/null'])
  return {
    files,
    network: works(files ? [...room, ...network] : network),
    tie: works(['setpriv', '--pdeathsig', 'KILL', 'true']),
    limits: works(['prlimit', '--data=1000000000', 'true']),
  }
}

interface Wrapped {
  readonly allowed: Allowed
  /** Of a control group, when there is one. */
  readonly procs: string | undefined
  readonly memoryBytes: number
}

/** The command inside its walls, outermost first. */
export function wrap(command: readonly string[], { allowed, procs, memoryBytes }: Wrapped): readonly string[] {
  const joins = procs ? ['sh', '-c', 'echo $$ > "$0" && exec "$@"', procs] : []
  const limits = !procs && allowed.limits ? ['prlimit', `--data=${memoryBytes}`] : []
  const tie = allowed.tie ? ['setpriv', '--pdeathsig', 'KILL'] : []
  const room = allowed.files ? roomOf(isRoot()) : []
  return [...joins, ...limits, ...tie, ...room, ...command]
}

/** Without a way to anybody but itself, where that is allowed. */
export const withoutNetwork = (command: readonly string[], allowed: Allowed): readonly string[] => [
  ...(allowed.tie ? ['setpriv', '--pdeathsig', 'KILL'] : []),
  ...(allowed.network ? ['unshare', '--net', '--', 'sh', '-c', 'ip link set lo up && exec "$@"', 'drill'] : []),
  ...command,
]

export interface Walls {
  /** A directory that only this trial knows; its paths are short enough for sockets. */
  readonly front: string
  /** Where it works. Seen as `room` in the front. */
  readonly room: string
  /** A store in a directory. Seen as `store` in the front, and nothing there can be changed. */
  readonly store: string | undefined
  /** Empty from now on: data, settings and other stores. */
  readonly hidden: readonly string[]
}

/** Run inside: from now on this process and all that it starts see nothing else of the installation. */
export function putUpWalls({ front, room, store, hidden }: Walls): void {
  const at = (name: string): string => join(front, name)
  bind(room, at('room'))
  if (store) {
    bind(store, at('store'))
    mount('-o', 'remount,bind,ro', at('store'))
  }
  for (const path of hidden) {
    const found = lstatSync(path, { throwIfNoEntry: false })
    if (found?.isDirectory()) mount('-t', 'tmpfs', '-o', 'size=64k,mode=0700', 'tmpfs', path)
    else if (found?.isFile()) mount('--bind', '/dev/null', path)
  }
  const open = hidden.filter(isThere)
  if (open.length) throw new Error(`${open.join(', ')} can still be seen`)
}

function bind(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  mount('--bind', from, to)
}

function mount(...args: readonly string[]): void {
  const { status, stderr } = spawnSync('mount', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`mount ${args.join(' ')}: ${stderr}`)
}

function isThere(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found?.isDirectory()) return readdirSync(path).length > 0
  return found?.isFile() ? readFileSync(path).length > 0 : false
}
