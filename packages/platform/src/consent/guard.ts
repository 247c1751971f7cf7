import { type AccountCaller, fault } from '@seaworthy/core'
import type { Transaction } from '../data/index.ts'
import type { Consent } from './consent.ts'
import { type Decision, readNewest } from './decisions.ts'

/** Whether the account agrees to it, in the words of this release. Not once it has withdrawn, nor to earlier words. */
export async function hasConsent(tx: Transaction, caller: AccountCaller, consent: Consent): Promise<boolean> {
  return agrees(consent, (await readNewest(tx, caller, [consent.name])).get(consent.name))
}

/** Whether this decision, the newest about it, agrees to it. */
export const agrees = ({ version }: Consent, newest: Decision | undefined): boolean =>
  newest?.given === true && newest.version === version

/**
 * To be asked where data is about to leave, also in a job: a decision may have been taken back since the job was enqueued.
 * @throws `consent_required`, whose field `consent` names the purpose for the page that asks.
 */
export async function requireConsent(tx: Transaction, caller: AccountCaller, consent: Consent): Promise<void> {
  if (await hasConsent(tx, caller, consent)) return
  throw fault('consent_required', {
    detail: `${consent.title}: this account has not agreed to it. An admin of the account can, under Privacy.`,
    fields: [{ path: 'consent', message: consent.name }],
  })
}
