/** Where a system runs. Each has a value for every deployed setting and a row in the table of sizes. */
export const places = [
  'host',
  'compose-development',
  'compose-production',
  'kubernetes-development',
  'kubernetes-staging',
  'kubernetes-production',
] as const

export type Place = (typeof places)[number]

/** What a process is for: people's requests, jobs, or bringing the database up to date, once. */
export const roles = ['web', 'worker', 'migrate'] as const

export type Role = (typeof roles)[number]
