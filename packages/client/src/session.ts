import { BUILD_HEADER, type Builds } from './builds.ts'

/** Who is signed in on this page. The access token lives in memory only; the refresh token in a cookie no script can read. */
export interface SessionUser {
  readonly id: string
  readonly accountId: string
  readonly role: string
  readonly operator: boolean
}

export interface SessionState {
  /** `unknown` until the first refresh has answered. */
  readonly status: 'unknown' | 'signed-in' | 'signed-out'
  readonly user: SessionUser | undefined
}

export interface SessionAnswer {
  readonly accessToken: string
  readonly expiresInSeconds: number
  readonly user: SessionUser
}

export interface Session {
  readonly state: SessionState
  subscribe(listener: () => void): () => void
  /** A token that is good for a while; undefined when nobody is signed in. Renewed before it ends. */
  token(): Promise<string | undefined>
  /** After a 401: the next token is a new one. */
  forget(): void
  accept(answer: SessionAnswer): void
  end(): void
}

const RENEW_BEFORE_MS = 30_000
const LOCK = 'seaworthy-refresh'

interface SessionParts {
  /** The answer to a refresh that was asked for before this code had come. */
  readonly asked?: Promise<Response> | undefined
  readonly builds?: Builds
}

export function createSession(baseUrl: string, fetcher: typeof fetch, { asked, builds }: SessionParts = {}): Session {
  let state: SessionState = { status: 'unknown', user: undefined }
  let token: { readonly text: string; readonly renewAt: number } | undefined
  let renewing: Promise<string | undefined> | undefined
  const listeners = new Set<() => void>()
  const move = (next: SessionState): void => {
    state = next
    for (const listener of listeners) listener()
  }
  const accept = (answer: SessionAnswer): void => {
    token = { text: answer.accessToken, renewAt: Date.now() + answer.expiresInSeconds * 1_000 - RENEW_BEFORE_MS }
    if (state.status !== 'signed-in' || !isSame(state.user, answer.user))
      move({ status: 'signed-in', user: answer.user })
  }
  const end = (): void => {
    token = undefined
    if (state.status !== 'signed-out') move({ status: 'signed-out', user: undefined })
  }
  let first = asked
  const ask = (): Promise<Response> =>
    withLock(() => fetcher(`${baseUrl}/api/identity/refresh`, { method: 'POST', credentials: 'same-origin' }))
  const renew = async (): Promise<string | undefined> => {
    const asking = first ?? ask()
    first = undefined
    const answer = await asking
    builds?.note(answer.headers.get(BUILD_HEADER))
    if (answer.status === 200) accept((await answer.json()) as SessionAnswer)
    else if (answer.status === 204 || answer.status === 401) end()
    else throw new Error(`Your sign-in could not be renewed: the service answered ${answer.status}.`)
    return token?.text
  }
  return {
    get state() {
      return state
    },
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    token: async () => {
      if (token && token.renewAt > Date.now()) return token.text
      if (state.status === 'signed-out') return undefined
      renewing ??= renew().finally(() => {
        renewing = undefined
      })
      return renewing
    },
    forget: () => {
      token = undefined
    },
    accept,
    end,
  }
}

const isSame = (one: SessionUser | undefined, other: SessionUser): boolean =>
  one?.id === other.id &&
  one.accountId === other.accountId &&
  one.role === other.role &&
  one.operator === other.operator

/** A refresh token works once: two tabs that renew at the same moment would end each other's sign-in. */
async function withLock<T>(work: () => Promise<T>): Promise<T> {
  const locks = globalThis.navigator?.locks
  if (!locks) return work()
  return (await locks.request(LOCK, work)) as T
}
