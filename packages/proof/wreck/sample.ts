const STEP = 0x6d2b79f5

/** Some of them, another choice for every seed. */
export function takeSample<T>(all: readonly T[], count: number, seed: number): T[] {
  let state = seed >>> 0
  const next = (): number => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + STEP) >>> 0
    return state / 2 ** 32
  }
  return all
    .map((item) => ({ item, order: next() }))
    .sort((a, b) => a.order - b.order)
    .slice(0, count)
    .map(({ item }) => item)
}
