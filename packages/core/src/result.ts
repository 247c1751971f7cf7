/** For outcomes that the caller decides on by their reason. Everything else is thrown. */
export type Result<T, R extends string> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: R }

export const ok = <T>(value: T) => ({ ok: true, value }) as const
export const no = <R extends string>(reason: R) => ({ ok: false, reason }) as const
