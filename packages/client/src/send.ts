import { backoffMs, pause } from '@seaworthy/core'
import { ApiError, endsSession, movedProblem, offlineProblem, readProblem } from './problem.ts'
import { POSITION_HEADER, type Seen } from './seen.ts'
import type { Session } from './session.ts'

export interface SendSettings {
  readonly session: Session
  readonly seen: Seen
  readonly fetcher: typeof fetch
  readonly timeoutMs: number
  readonly retriesMax: number
}

const RETRY_BASE_MS = 300
const RETRY_MAX_MS = 4_000
/** A tenth of a retry is earned by each request: a service in trouble is not buried under retries. */
const BUDGET_MAX = 10
const BUDGET_PER_REQUEST = 0.1

/**
 * `fetch` with a token, a time limit and retries. Only what may be repeated is: reads, and requests with an idempotency
 * key, which every try carries unchanged. Throws `ApiError` when no answer comes.
 */
export function createSender({
  session,
  seen,
  fetcher,
  timeoutMs,
  retriesMax,
}: SendSettings): (request: Request) => Promise<Response> {
  let budget = BUDGET_MAX
  const attempt = async (request: Request, account: string | undefined): Promise<Response> => {
    const token = await session.token()
    // A renewed sign-in may work in another account: what was meant for the one must not happen to the other.
    if (token && account && account !== session.state.user?.accountId) throw new ApiError(movedProblem)
    const headers = new Headers(request.headers)
    if (token) headers.set('authorization', `Bearer ${token}`)
    // The service does not work longer on an answer than anybody waits for it.
    headers.set('prefer', `wait=${Math.ceil(timeoutMs / 1_000)}`)
    const take = seen.show(headers)
    const response = await fetcher(
      new Request(request, { headers, signal: AbortSignal.any([request.signal, AbortSignal.timeout(timeoutMs)]) }),
    )
    take(response.headers.get(POSITION_HEADER))
    return response
  }
  const renewed = async (request: Request, account: string | undefined): Promise<Response> => {
    const response = await attempt(request.clone(), account)
    if (response.status !== 401 || session.state.status !== 'signed-in') return response
    if (!endsSession(await readProblem(response.clone()))) return response
    session.forget()
    return attempt(request, account)
  }
  return async (request) => {
    const repeatable = request.method === 'GET' || request.headers.has('idempotency-key')
    const account = session.state.user?.accountId
    budget = Math.min(BUDGET_MAX, budget + BUDGET_PER_REQUEST)
    for (let tries = 1; ; tries++) {
      const outcome = await renewed(request.clone(), account).catch((error: unknown) => new Unanswered(error))
      const mayRetry = repeatable && tries <= retriesMax && budget >= 1 && !request.signal.aborted
      if (!mayRetry || !isPassing(outcome)) return answerOf(outcome, request.signal)
      budget--
      await pause(backoffMs(tries, RETRY_BASE_MS, RETRY_MAX_MS), request.signal)
    }
  }
}

/** No answer came, for this reason. */
class Unanswered {
  readonly reason: unknown

  constructor(reason: unknown) {
    this.reason = reason
  }
}

const isPassing = (outcome: Response | Unanswered): boolean =>
  outcome instanceof Unanswered ? !(outcome.reason instanceof ApiError) : outcome.status === 503

function answerOf(outcome: Response | Unanswered, signal: AbortSignal): Response {
  if (outcome instanceof Response) return outcome
  if (outcome.reason instanceof ApiError) throw outcome.reason
  throw signal.aborted ? outcome.reason : new ApiError(offlineProblem, { cause: outcome.reason })
}
