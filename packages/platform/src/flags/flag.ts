export type FlagValue = boolean | string

/** Something that operators turn while the service runs. A value that the compiler knows. */
export interface Flag<V extends FlagValue = FlagValue> {
  readonly kind: 'flag'
  /** With the app's name in front: `cosnap.previews`. */
  readonly name: string
  /** What it may be. */
  readonly values: readonly V[]
  readonly default: V
  /** What turning it does, in a sentence for operators. */
  readonly text: string
}

/**
 * @example
 * export const previews = flag({ name: 'cosnap.previews', values: [true, false], default: true, text: '...' })
 */
export const flag = <const V extends FlagValue>(definition: Omit<Flag<V>, 'kind'>): Flag<V> => ({
  kind: 'flag',
  ...definition,
})
