import { apps } from '../apps.ts'

/** What happens by itself, or on the way to something that has a line of its own. */
export const routine = [
  'session_refresh',
  'passkey_begin',
  'passkey_sign_in_begin',
  'invitation_read',
  'upload_begin',
  'upload_part',
  'account_switch',
] as const

const own: Readonly<Record<string, string>> = {
  session_refresh: 'Sign-in went on',
  session_reuse: 'Ended sign-in used again',
  passkey_begin: 'Passkey asked for',
  passkey_sign_in_begin: 'Passkey asked for at the door',
  invitation_read: 'Invitation looked at',
  upload_begin: 'Upload begun',
  upload_part: 'Part of an upload',
  sign_up: 'Account made',
  sign_in: 'Signed in',
  sign_in_failed: 'Sign-in failed',
  sign_in_code: 'Signed in with a code',
  sign_in_passkey: 'Signed in with a passkey',
  sign_in_confirm: 'Password asked again',
  sign_out: 'Signed out',
  session_end: 'Signed out somewhere else',
  sessions_end_others: 'Signed out everywhere else',
  password_change: 'Password changed',
  password_forgot: 'New password asked for',
  password_reset: 'Password set anew by mail',
  email_change: 'Another address asked for',
  email_verify: 'Address confirmed',
  email_verify_resend: 'Confirmation sent again',
  passkey_add: 'Passkey added',
  passkey_remove: 'Passkey removed',
  totp_enrol: 'Authenticator app begun',
  totp_confirm: 'Authenticator app set up',
  totp_remove: 'Authenticator app removed',
  recovery_codes_renew: 'New recovery codes made',
  api_key_create: 'API key made',
  api_key_revoke: 'API key revoked',
  provider_key_put: 'Provider key added or replaced',
  provider_key_delete: 'Provider key removed',
  account_create: 'Shared account made',
  account_rename: 'Account renamed',
  account_switch: 'Went to this account',
  invitation_create: 'Somebody invited',
  invitation_accept: 'Invitation accepted',
  invitation_revoke: 'Invitation taken back',
  member_role_change: 'Role of a member changed',
  member_remove: 'Member removed',
  member_leave: 'Member left',
  consent_give: 'Agreed to something',
  consent_withdraw: 'Agreement taken back',
  person_export: 'Own data exported',
  person_erase: 'Own account deleted',
  person_erased: 'Person erased',
  person_block: 'Person blocked or unblocked',
  person_sessions_end: 'Person signed out by an operator',
  audit_export: 'Activity exported',
  flag_turn: 'Flag turned',
  job_replay: 'Failed job run again',
  batch: 'Several at once',
  limited: 'Held back by a limit',
}

/** What happened, for people. An action that nobody has words for is told by its name. */
export function actionWords(action: string): string {
  const known = own[action] ?? apps.map((app) => app.actions[action]).find((words) => words !== undefined)
  if (known) return known
  const name = action.replaceAll('_', ' ')
  return name.slice(0, 1).toUpperCase() + name.slice(1)
}

const reasons: Readonly<Record<string, string>> = {
  wrong_credentials: 'wrong password',
  wrong_code: 'wrong code',
  forbidden: 'not allowed',
  too_many_requests: 'too often',
  reauthentication_required: 'asked for the password first',
  second_factor_required: 'a second step was missing',
  not_found: 'not there',
  conflict: 'did not fit',
  invalid_input: 'not understood',
  insufficient_credits: 'not enough credits',
  internal: 'something went wrong',
}

/** Why it was refused. */
export const reasonWords = (code: string | null): string =>
  code === null ? 'refused' : (reasons[code] ?? code.replaceAll('_', ' '))
