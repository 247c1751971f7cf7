import type { Answerer, Caller, Edge } from '../../description/index.ts'

/** Where people come in, and where mail and files go out: these two have a way to the world. */
const open: Partial<Record<Caller | Answerer, string>> = { people: 'entrance', outside: 'exit' }

/**
 * One network for each pair that has an edge: whoever shares a network reaches every port of the other, so nobody shares
 * one with more than it must. Of a watcher nothing is known here: metrics stay inside their container.
 */
export function networksOf(edges: readonly Edge[]) {
  const used = edges.filter(({ from }) => from !== 'monitoring')
  const nameOf = ({ from, to }: Edge): string => open[from] ?? open[to] ?? `${from}-${to}`
  return {
    /** Every network as the file declares it. */
    declared: Object.fromEntries(
      used.map((edge) => [nameOf(edge), open[edge.from] || open[edge.to] ? {} : { internal: true }]),
    ),
    /** The networks that a service is in. */
    of: (service: Caller | Answerer): readonly string[] => [
      ...new Set(used.filter(({ from, to }) => from === service || to === service).map(nameOf)),
    ],
  }
}
