/** Which pages the service gives out now. A page that was opened before a deployment, or before one was taken back, has others. */
export interface Builds {
  /** By the last answer that told; undefined before. */
  readonly served: string | undefined
  note(build: string | null): void
  subscribe(listener: () => void): () => void
}

export const BUILD_HEADER = 'seaworthy-build'

export function createBuilds(): Builds {
  let served: string | undefined
  const listeners = new Set<() => void>()
  return {
    get served() {
      return served
    },
    note: (build) => {
      if (!build || build === served) return
      served = build
      for (const listener of listeners) listener()
    },
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
