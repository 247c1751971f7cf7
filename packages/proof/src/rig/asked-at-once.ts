import type { Person } from './person.ts'
import type { Pinned } from './pinned.ts'

/** A class of limits with a request that it counts: refused for another reason, after it was counted. */
export interface CountedClass {
  readonly name: string
  readonly max: number
  readonly method: string
  readonly path: string
}

const NOBODY = '01890000-0000-7000-8000-000000000000'

/** Cosnap's classes as they are documented. */
export const cosnapClasses: readonly CountedClass[] = [
  { name: 'identity.auth', max: 5, method: 'POST', path: '/api/identity/sign-in' },
  { name: 'cosnap.upload', max: 20, method: 'POST', path: '/api/cosnap/photos' },
  { name: 'cosnap.effects', max: 50, method: 'POST', path: '/api/cosnap/runs' },
  { name: 'cosnap.general', max: 100, method: 'DELETE', path: `/api/cosnap/photos/${NOBODY}` },
]

export interface Asked {
  /** By each process: not refused as too many. */
  readonly passed: readonly number[]
  /** Of the server's own fault. */
  readonly failed: number
}

/** So many requests to each process, all processes at once. */
export async function askAll(
  pins: readonly Pinned[],
  { method, path }: CountedClass,
  { token }: Pick<Person, 'token'>,
  each: number,
): Promise<Asked> {
  const statuses = await Promise.all(
    pins.map((pin) => Promise.all(Array.from({ length: each }, () => pin.ask(path, { method, token })))),
  )
  return {
    passed: statuses.map((own) => own.filter((status) => status !== 429 && status < 500).length),
    failed: statuses.flat().filter((status) => status >= 500).length,
  }
}

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
