import { CHANGING } from './store.ts'

/** Who has a key of a bucket: the running system, which adds, or whoever keeps the store, who also deletes. */
export type KeyHolder = 'running' | 'keeping'

interface Statement {
  readonly Sid: string
  readonly Effect: 'Allow'
  readonly Principal: { readonly AWS: string }
  readonly Action: string | readonly string[]
  readonly Resource: string | readonly string[]
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>
}

export interface Policy {
  readonly Version: '2012-10-17'
  readonly Statement: readonly Statement[]
}

interface PolicySettings {
  readonly bucket: string
  /** Empty, or without a slash at its ends. */
  readonly prefix: string
  /** The ARN of a user or role that has no rights besides these. */
  readonly principals: Readonly<Record<KeyHolder, string>>
}

/**
 * The policy of a bucket that a system may fill and not empty. What runs may put an object only where there is none, which
 * S3 calls `if-none-match`; written over is only the note which segment was the last, and deleted only restic's locks.
 */
export function policyOf({ bucket, prefix, principals }: PolicySettings): Policy {
  const arn = `arn:aws:s3:::${bucket}`
  const inside = (key: string): string => `${arn}/${prefix ? `${prefix}/` : ''}${key}`
  const to = (Sid: string, who: KeyHolder, rest: Pick<Statement, 'Action' | 'Resource' | 'Condition'>): Statement => ({
    Sid,
    Effect: 'Allow',
    Principal: { AWS: principals[who] },
    ...rest,
  })
  return {
    Version: '2012-10-17',
    Statement: [
      to('RunningLists', 'running', { Action: 's3:ListBucket', Resource: arn }),
      to('RunningReads', 'running', { Action: 's3:GetObject', Resource: inside('*') }),
      to('RunningAddsWhatIsNotThere', 'running', {
        Action: 's3:PutObject',
        Resource: inside('*'),
        Condition: { Null: { 's3:if-none-match': 'false' } },
      }),
      to('RunningWritesOver', 'running', { Action: 's3:PutObject', Resource: inside(CHANGING.head) }),
      to('RunningUnlocks', 'running', { Action: 's3:DeleteObject', Resource: inside(`${CHANGING.locks}*`) }),
      to('KeepingLists', 'keeping', { Action: 's3:ListBucket', Resource: arn }),
      to('KeepingDoesAll', 'keeping', {
        Action: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'],
        Resource: inside('*'),
      }),
    ],
  }
}
