/** Work under one name that is done once for all who wait for it here. It is given up when nobody waits any more. */
export interface Flights<T> {
  join(name: string, signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T>
}

interface Flight<T> {
  readonly result: Promise<T>
  readonly gone: AbortController
  waiting: number
}

export function createFlights<T>(): Flights<T> {
  const flights = new Map<string, Flight<T>>()
  const begin = (name: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> => {
    const gone = new AbortController()
    const result = work(gone.signal).finally(() => {
      if (flights.get(name) === flight) flights.delete(name)
    })
    const flight: Flight<T> = { result, gone, waiting: 0 }
    flights.set(name, flight)
    return flight
  }
  return {
    join: async (name, signal, work) => {
      signal?.throwIfAborted()
      const flight = flights.get(name) ?? begin(name, work)
      flight.waiting++
      let leave: (() => void) | undefined
      const left = new Promise<never>((_, reject) => {
        leave = () => reject(signal?.reason)
        signal?.addEventListener('abort', leave, { once: true })
      })
      try {
        return await (signal ? Promise.race([flight.result, left]) : flight.result)
      } finally {
        if (leave) signal?.removeEventListener('abort', leave)
        flight.waiting--
        if (flight.waiting === 0) {
          // Nobody new may join what is being given up.
          if (flights.get(name) === flight) flights.delete(name)
          flight.gone.abort()
        }
      }
    },
  }
}
