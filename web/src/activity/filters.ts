/** What the address of the page says. */
export interface Filters {
  readonly kind?: 'change' | 'security'
  readonly action?: string
  readonly outcome?: 'done' | 'refused'
  readonly user?: string
  readonly days?: number
}

export const periods = [
  { days: 1, label: 'The last day' },
  { days: 7, label: 'The last week' },
  { days: 30, label: 'The last month' },
] as const

const DAY_MS = 86_400_000
const idForm = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/

/** Anything may stand in an address: what is no filter is none. */
export function readFilters(search: Readonly<Record<string, unknown>>): Filters {
  const { kind, action, outcome, user, days } = search
  return {
    ...(kind === 'change' || kind === 'security' ? { kind } : {}),
    ...(typeof action === 'string' && /^[a-z\d_]{1,100}$/.test(action) ? { action } : {}),
    ...(outcome === 'done' || outcome === 'refused' ? { outcome } : {}),
    ...(typeof user === 'string' && idForm.test(user) ? { user } : {}),
    ...(periods.some((period) => period.days === days) ? { days: days as number } : {}),
  }
}

/** As the service is asked. */
export function toQuery({ days, ...filters }: Filters) {
  return { ...filters, ...(days ? { from: new Date(Date.now() - days * DAY_MS).toISOString() } : {}) }
}
