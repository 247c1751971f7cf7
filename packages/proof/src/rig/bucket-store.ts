import { join } from 'node:path'
import type { Rig } from './rig.ts'
import { runProgram } from './run-program.ts'
import { type Bucket, openBucket } from './s3.ts'

export const RUNNING = 'running'
export const KEEPING = 'keeping'
const COMMAND_MS = 120_000

export interface BucketStore {
  readonly bucket: Bucket
  /** For `BACKUP_STORES`. */
  readonly name: string
  /** What all its keys begin with. */
  readonly prefix: string
  /** As an operator gives them to the running system, or to whoever keeps the store. */
  settingsOf(user: string): Readonly<Record<string, string>>
}

/** A bucket with the policy that the product prints for it. The claim must name `s3rver` among its needs. */
export async function openBucketStore(rig: Rig): Promise<BucketStore> {
  const bucket = await openBucket(rig.scratch, 'backups')
  rig.defer(() => bucket.close())
  const name = 's3://backups/boats'
  const program = join(rig.product, 'packages', 'cli', 'dist', 'main.js')
  const args = [program, 'backups', 'policy', name, '--running', RUNNING, '--keeping', KEEPING]
  const { code, stdout, stderr } = await runProgram(process.execPath, args, { timeoutMs: COMMAND_MS })
  if (code !== 0) throw new Error(`the policy was not printed: ${stderr}`)
  bucket.setPolicy(JSON.parse(stdout))
  return {
    bucket,
    name,
    prefix: 'boats/',
    settingsOf: (user) => ({
      BACKUP_S3_ENDPOINT: bucket.endpoint,
      BACKUP_S3_REGION: 'auto',
      BACKUP_S3_ACCESS_KEY_ID: bucket.keyOf(user).id,
      BACKUP_S3_SECRET_ACCESS_KEY: bucket.keyOf(user).secret,
    }),
  }
}

/** Every key that this user is told of. */
export async function keysIn({ bucket, prefix }: BucketStore, user: string): Promise<readonly string[]> {
  const keys: string[] = []
  for (let next = ''; ; ) {
    const query = { 'list-type': '2', prefix, ...(next ? { 'continuation-token': next } : {}) }
    const { status, text } = await bucket.ask(user, 'GET', '', { query })
    if (status !== 200) throw new Error(`the bucket was not listed: ${status}`)
    keys.push(...[...text.matchAll(/<Key>([^<]+)<\/Key>/g)].map(([, key = '']) => key))
    next = /<NextContinuationToken>([^<]+)</.exec(text)?.[1] ?? ''
    if (!next) return keys
  }
}
