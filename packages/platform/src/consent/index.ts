/** What accounts agree to: purposes that apps declare, decisions that nobody changes, and the question before data leaves. */
export { type Consent, consent } from './consent.ts'
export {
  type ConsentOrigin,
  type ConsentWay,
  type Decision,
  giveConsent,
  readDecisions,
  readNewest,
  withdrawConsent,
} from './decisions.ts'
export { agrees, hasConsent, requireConsent } from './guard.ts'
