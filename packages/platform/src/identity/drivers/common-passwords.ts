import { assert } from '@seaworthy/core'

/** The one file that knows the list: passwords that leaked often, the most frequent first. */
let loaded: Promise<ReadonlySet<string>> | undefined

/** In lower case. Read at the first call: 25 ms and three megabytes that a process without sign-ups does not need. */
export function commonPasswords(lengthMin: number): Promise<ReadonlySet<string>> {
  loaded ??= load(lengthMin)
  return loaded
}

async function load(lengthMin: number): Promise<ReadonlySet<string>> {
  const { dictionary } = await import('@zxcvbn-ts/language-common')
  const long = dictionary['passwords-common'].filter((password) => password.length >= lengthMin)
  assert(long.length > 10_000, `the list of common passwords holds ${long.length}`)
  return new Set(long.map((password) => password.toLowerCase()))
}
