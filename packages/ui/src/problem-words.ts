import { ApiError } from '@seaworthy/client'

export interface ProblemWords {
  readonly title: string
  readonly detail: string
  /** For support; only where something went wrong on the server. */
  readonly reference?: string | undefined
}

const said: Record<string, { title: string; detail?: string }> = {
  offline: { title: 'No connection.' },
  too_many_requests: { title: 'A little slower, please.' },
  insufficient_credits: { title: 'Not enough credits.' },
  unavailable: { title: 'The service is restarting.', detail: 'It is usually back within seconds.' },
  unusable_image: { title: 'This photo cannot be used.' },
  payload_too_large: { title: 'This file is too large.' },
  second_factor_required: {
    title: 'One more step keeps your account safe.',
    detail: 'Set up an authenticator app or a passkey: account menu, Security.',
  },
  wrong_credentials: { title: 'That did not match.', detail: 'Check the address and the password.' },
}

/** Errors of the service in the words of this page: one place for all of them. */
export function wordsOf(error: unknown): ProblemWords {
  if (!(error instanceof ApiError))
    return { title: 'Something went wrong on this page.', detail: error instanceof Error ? error.message : '' }
  const { code, title, detail, status, requestId, fields } = error.problem
  const own = said[code]
  return {
    title: own?.title ?? title,
    detail:
      own?.detail ??
      (fields?.length
        ? fields.map((field) => `${field.path.replace(/^(body|query)\./, '')} ${field.message}`).join('; ')
        : (detail ?? '')),
    reference: status >= 500 && status !== 503 ? requestId : undefined,
  }
}

/** What is wrong with one field of a form. */
export function fieldFault(error: unknown, field: string): string | undefined {
  if (!(error instanceof ApiError)) return undefined
  return error.problem.fields?.find((found) => found.path === `body.${field}`)?.message
}
