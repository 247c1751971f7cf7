/** A policy of a bucket, as S3 reads it: what no statement allows is refused. Only what is used here is understood. */
export interface Policy {
  readonly Statement: readonly {
    readonly Effect: string
    readonly Principal: { readonly AWS: string }
    readonly Action: string | readonly string[]
    readonly Resource: string | readonly string[]
    readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>
  }[]
}

export interface Allowed {
  readonly action: string
  readonly resource: string
  /** Which keys of conditions the request has. */
  readonly isThere: Readonly<Record<string, boolean>>
}

/** Throws for a policy with something in it that is not understood. */
export function isAllowed({ Statement }: Policy, user: string, { action, resource, isThere }: Allowed): boolean {
  return Statement.some(({ Effect, Principal, Action, Resource, Condition = {} }) => {
    if (Effect !== 'Allow') throw new Error(`the policy has ${Effect}`)
    const conditions = Object.entries(Condition).flatMap(([operator, keys]) => {
      if (operator !== 'Null') throw new Error(`the policy has ${operator}`)
      return Object.entries(keys)
    })
    return (
      Principal.AWS === user &&
      [Action].flat().includes(action) &&
      [Resource].flat().some((pattern) => isLike(resource, pattern)) &&
      conditions.every(([key, isNull]) => (isThere[key] === true) === (isNull === 'false'))
    )
  })
}

function isLike(text: string, pattern: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`, 's').test(text)
}
