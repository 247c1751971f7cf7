import { chownSync, readdirSync, statSync } from 'node:fs'
import { container } from '../../../description/index.ts'
import type { Layout } from '../layout.ts'
import type { Engine } from './engine.ts'
import type { ContainerUser } from './words.ts'

const isRoot = (): boolean => process.getuid?.() === 0

/**
 * Whom files of this host belong to that containers write: whoever owns `run`, so that a proxy of its group may open
 * sockets there as it may those of processes; the number of the image where that is root, which nothing runs as.
 */
export function userOf({ run }: Layout, { kind }: Pick<Engine, 'kind'>): ContainerUser {
  const { uid, gid } = statSync(run)
  const isMapped = kind === 'podman' && !isRoot()
  return { uid: uid || container.user, gid: uid ? gid : container.user, isMapped }
}

/** Root makes folders for somebody else. */
export function giveTo({ uid }: ContainerUser, folder: string): void {
  if (isRoot() && statSync(folder).uid !== uid) chownSync(folder, uid, statSync(folder).gid)
}

/** A folder that nobody has used yet. */
export const isEmpty = (folder: string): boolean => readdirSync(folder).length === 0

/** Whether this user may read a file of this host. */
export function mayRead({ uid, gid }: ContainerUser, path: string): boolean {
  const { uid: owner, gid: group, mode } = statSync(path)
  return (owner === uid && (mode & 0o400) !== 0) || (group === gid && (mode & 0o040) !== 0) || (mode & 0o004) !== 0
}
