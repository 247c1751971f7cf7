/** A refusal of the service, as RFC 9457 describes it. */
export interface Problem {
  readonly title: string
  readonly status: number
  /** Stable; what programs decide by. */
  readonly code: string
  readonly detail?: string
  readonly requestId?: string
  readonly fields?: readonly { readonly path: string; readonly message: string }[]
}

export class ApiError extends Error {
  readonly problem: Problem

  constructor(problem: Problem, options?: ErrorOptions) {
    super(problem.detail ?? problem.title, options)
    this.name = 'ApiError'
    this.problem = problem
  }
}

/** No answer came: the network, or the service, is away. */
export const offlineProblem: Problem = {
  title: 'The service cannot be reached.',
  status: 0,
  code: 'offline',
  detail: 'Check your connection. Nothing you entered is lost.',
}

/** The sign-in works in another account than the one the page showed. */
export const movedProblem: Problem = {
  title: 'You work in another account now.',
  status: 409,
  code: 'account_changed',
  detail: 'Nothing was changed. Look at the page and try again.',
}

export async function readProblem(response: Response): Promise<Problem> {
  try {
    const body = (await response.json()) as Partial<Problem>
    if (typeof body.code === 'string' && typeof body.title === 'string')
      return { status: response.status, ...body } as Problem
  } catch {
    // Not ours: a proxy's page perhaps.
  }
  return { title: 'The service gave an answer that is not understood.', status: response.status, code: 'unknown' }
}

const aboutWhatWasTyped = new Set(['wrong_credentials', 'wrong_code', 'challenge_expired'])

/** Whether a 401 says that the sign-in is over. A wrong password or code is an answer, and nobody is signed out by it. */
export const endsSession = ({ status, code }: Problem): boolean => status === 401 && !aboutWhatWasTyped.has(code)
