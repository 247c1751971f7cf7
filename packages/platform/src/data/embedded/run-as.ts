import { spawnSync } from 'node:child_process'

/**
 * PostgreSQL refuses to run as root. As root, the command runs in a user namespace of its own in which it is user 1000:
 * it keeps access to what root owns (a checkout below /root) and needs no other user on the machine.
 */
export function asServerUser(command: string, args: readonly string[]): { command: string; args: string[] } {
  if (process.getuid?.() !== 0) return { command, args: [...args] }
  return { command: 'unshare', args: ['--user', '--map-user=1000', command, ...args] }
}

/** The one line that says why the embedded server cannot run as root here; undefined when it can. */
export function whyNotAsRoot(): string | undefined {
  if (process.getuid?.() !== 0) return undefined
  const probe = spawnSync('unshare', ['--user', '--map-user=1000', 'true'], { stdio: 'ignore' })
  if (probe.status === 0) return undefined
  return 'PostgreSQL does not run as root, and user namespaces are not available here.\n    HINT: run as another user, or set DATABASE_URL to a server of your own.'
}
