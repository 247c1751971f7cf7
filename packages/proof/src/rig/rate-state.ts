/** What the RateLimit headers of an answer say (draft-ietf-httpapi-ratelimit-headers). */
export interface RateState {
  readonly names: readonly (string | undefined)[]
  readonly max: number
  readonly left: number
  readonly window: number
  readonly reset: number
}

export function rateStateOf(headers: Headers): RateState {
  const [, policy, max, window] = /^"([\w.]+)";q=(\d+);w=(\d+)$/.exec(headers.get('ratelimit-policy') ?? '') ?? []
  const [, name, left, reset] = /^"([\w.]+)";r=(\d+);t=(\d+)$/.exec(headers.get('ratelimit') ?? '') ?? []
  return { names: [policy, name], max: Number(max), left: Number(left), window: Number(window), reset: Number(reset) }
}

/** Whether the headers say exactly this, and when the window ends. */
export const tellsTruth = (
  state: RateState,
  expected: { readonly name: string; readonly left: number; readonly max: number; readonly window: number },
): boolean =>
  state.names.every((name) => name === expected.name) &&
  state.max === expected.max &&
  state.left === expected.left &&
  state.window === expected.window &&
  state.reset >= 1 &&
  state.reset <= expected.window
