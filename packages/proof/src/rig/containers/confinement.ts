import { readFileSync } from 'node:fs'
import { podman } from './engine.ts'

/** What the kernel itself says about the first process of a container. */
export interface Confinement {
  readonly uids: readonly number[]
  /** Those it has, may take, or could be given: 0 is none. */
  readonly capabilities: bigint
  readonly noNewPrivileges: boolean
  /** 2: a filter. */
  readonly seccomp: number
  /** That its image cannot be changed. */
  readonly readOnly: boolean
}

export function confinementOf(pid: number): Confinement {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const field = (name: string): string => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? ''
  const root = readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
    .split('\n')
    .find((line) => line.split(' ')[4] === '/')
  return {
    uids: [...new Set(field('Uid').split(/\s+/).map(Number))],
    capabilities: BigInt(`0x${field('CapEff')}`) | BigInt(`0x${field('CapPrm')}`) | BigInt(`0x${field('CapBnd')}`),
    noNewPrivileges: field('NoNewPrivs') === '1',
    seccomp: Number(field('Seccomp')),
    readOnly: root?.split(' ')[5]?.split(',').includes('ro') ?? false,
  }
}

/** Where a container of ours may write nothing. */
export const outsideOfData = [
  ...['/', '/app', '/app/dist', '/app/node_modules', '/etc', '/usr/local/bin', '/run/secrets', '/var/lib'],
] as const

/** The folders in which a file could be made from inside; the image needs Node and no shell. */
export async function writesOf(id: string, folders: readonly string[]): Promise<readonly string[]> {
  const script = `for (const folder of ${JSON.stringify(folders)}) try {
    require('fs').writeFileSync(folder + '/attempt', 'x'); require('fs').rmSync(folder + '/attempt'); console.log(folder)
  } catch {}`
  return (await podman('exec', id, 'node', '-e', script)).split('\n').filter(Boolean)
}
