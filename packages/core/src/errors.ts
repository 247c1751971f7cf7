/**
 * The catalogue of errors and the one class that carries them.
 * A code is stable for ever; the title is for people; the status is for HTTP. Apps add codes of their own.
 */
export interface ErrorSpec {
  readonly status: number
  /** One sentence for the person at the screen. Never holds internal detail. */
  readonly title: string
}

export const platformErrors = {
  malformed_request: { status: 400, title: 'The request could not be understood.' },
  invalid_input: { status: 400, title: 'Some of what you sent is not valid.' },
  unauthenticated: { status: 401, title: 'Please sign in first.' },
  token_expired: { status: 401, title: 'Your sign-in has expired.' },
  wrong_code: { status: 401, title: 'This code is not right, or was used already.' },
  challenge_expired: { status: 401, title: 'This took too long, or was tried too often. Please start again.' },
  wrong_credentials: { status: 401, title: 'E-mail or password is wrong.' },
  sign_ups_closed: { status: 403, title: 'No new accounts are made here at the moment.' },
  blocked: { status: 403, title: 'This sign-in was blocked by whoever runs this service.' },
  forbidden: { status: 403, title: 'You may not do this.' },
  second_factor_required: { status: 403, title: 'Set up a second step for signing in first.' },
  reauthentication_required: { status: 403, title: 'Please confirm that it is you.' },
  consent_required: { status: 403, title: 'This needs your consent first.' },
  invitation_for_another: { status: 403, title: 'This invitation was made for another address.' },
  https_required: { status: 403, title: 'This must be asked for by https.' },
  origin_refused: { status: 403, title: 'This site may not call the service.' },
  not_found: { status: 404, title: 'There is nothing here.' },
  request_timeout: { status: 408, title: 'The request took too long to arrive.' },
  conflict: { status: 409, title: 'This clashes with something that already exists.' },
  idempotency_in_progress: { status: 409, title: 'The same request is still being worked on.' },
  email_taken: { status: 409, title: 'There is already an account with this e-mail address.' },
  last_owner: { status: 409, title: 'An account needs an owner.' },
  link_expired: { status: 410, title: 'This link is no longer valid.' },
  payload_too_large: { status: 413, title: 'That is too large.' },
  quota_exceeded: { status: 413, title: 'Your storage is full.' },
  unsupported_media_type: { status: 415, title: 'This kind of content is not accepted.' },
  range_not_satisfiable: { status: 416, title: 'The requested part does not exist.' },
  idempotency_mismatch: { status: 422, title: 'This idempotency key was used for another request.' },
  password_too_common: { status: 422, title: 'This password is too easy to guess.' },
  infected_file: { status: 422, title: 'This file holds something harmful and was not kept.' },
  unusable_image: { status: 422, title: 'This file cannot be used as a photo.' },
  too_many_requests: { status: 429, title: 'Too many requests. Please wait a moment.' },
  headers_too_large: { status: 431, title: 'The request headers are too large.' },
  insufficient_credits: { status: 402, title: 'There are not enough credits for this.' },
  sealed_unreadable: { status: 500, title: 'Something that was stored cannot be read. Please tell the operator.' },
  internal: { status: 500, title: 'Something went wrong on our side.' },
  unavailable: { status: 503, title: 'The service is busy or restarting. Please try again shortly.' },
  scanner_unavailable: { status: 503, title: 'Files cannot be checked at the moment. Please try again shortly.' },
  ai_not_set_up: { status: 503, title: 'This needs an AI engine that is not set up here.' },
  ai_unavailable: { status: 503, title: 'No AI engine can answer at the moment. Please try again shortly.' },
  ai_answer_unusable: { status: 502, title: 'The AI engine gave an answer that cannot be used.' },
  ai_budget_used_up: { status: 429, title: 'What may be spent on AI today is used up.' },
  storage_full: { status: 503, title: 'There is no space left to store this. Please try again later.' },
} as const satisfies Record<string, ErrorSpec>

export type PlatformErrorCode = keyof typeof platformErrors

export interface ErrorOptionsOf {
  /** What the caller may read: which field, which limit, what to do next. */
  readonly detail?: string
  /** What only the log may hold. */
  readonly internal?: string
  readonly cause?: unknown
  readonly retryAfterSeconds?: number
  readonly fields?: readonly FieldFault[]
  /** A token that was ended or replaced came back. */
  readonly replayed?: boolean
}

export interface FieldFault {
  readonly path: string
  readonly message: string
}

/** Every error that is meant: thrown by rooms and apps, turned into an answer in one place. */
export class AppError extends Error {
  readonly code: string
  readonly status: number
  readonly title: string
  readonly detail: string | undefined
  readonly retryAfterSeconds: number | undefined
  readonly fields: readonly FieldFault[] | undefined
  readonly replayed: boolean

  constructor(code: string, spec: ErrorSpec, options: ErrorOptionsOf = {}) {
    super(options.internal ?? options.detail ?? spec.title, { cause: options.cause })
    this.name = 'AppError'
    this.code = code
    this.status = spec.status
    this.title = spec.title
    this.detail = options.detail
    this.retryAfterSeconds = options.retryAfterSeconds
    this.fields = options.fields
    this.replayed = options.replayed ?? false
  }
}

/** `throw fault('not_found')`: an error of the platform's own catalogue. */
export function fault(code: PlatformErrorCode, options?: ErrorOptionsOf): AppError {
  return new AppError(code, platformErrors[code], options)
}

/**
 * An app's own catalogue: `const faults = defineErrors('cosnap', {...}); throw faults('unknown_effect')`.
 * Codes are prefixed with the app's name so that two apps never share one.
 */
export function defineErrors<const C extends Record<string, ErrorSpec>>(app: string, catalogue: C) {
  return (code: keyof C & string, options?: ErrorOptionsOf): AppError => {
    const spec = catalogue[code]
    if (!spec) throw new Error(`no error ${code} in the catalogue of ${app}`)
    return new AppError(`${app}.${code}`, spec, options)
  }
}
