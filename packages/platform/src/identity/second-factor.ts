import { type Caller, fault, type UserId } from '@seaworthy/core'
import type { Transaction } from '../data/index.ts'
import { closeChallenge, tryChallenge } from './challenges.ts'
import type { Also, Parts } from './parts.ts'
import { consumeRecoveryCode, countRecoveryCodes, makeRecoveryCodes } from './recovery-codes.ts'
import { upgradeSession } from './sessions.ts'
import {
  type CodeOutcome,
  enrolTotp,
  hasTotp,
  refuseWrongCode,
  removeTotp,
  spendTotpCode,
  type TotpEnrolment,
} from './totp.ts'

/** An authenticator app, and codes for whoever loses it. */
export interface SecondFactor {
  state(caller: Caller): Promise<{ readonly totp: boolean; readonly recoveryCodes: number }>
  /** Throws `conflict` when an app is set up already. */
  enrol(caller: Caller, also?: Also): Promise<TotpEnrolment>
  /** The first right code sets it up and gives the recovery codes. Throws `wrong_code`, `too_many_requests`. */
  confirm(caller: Caller, code: string, also?: Also): Promise<readonly string[]>
  /** New recovery codes in place of the old ones. Throws `not_found` without an app. */
  renewRecoveryCodes(caller: Caller, also?: Also): Promise<readonly string[]>
  /** Throws `not_found`. */
  remove(caller: Caller, also?: Also): Promise<void>
}

export function secondFactorOf(parts: Parts): SecondFactor {
  const { database, refreshSecret } = parts.settings
  const onDuty = <T>(work: (tx: Transaction) => Promise<T>): Promise<T> => database.withDuty('identity', work)
  return {
    state: (caller) =>
      onDuty(async (tx) => ({
        totp: await hasTotp(tx, caller.userId),
        recoveryCodes: await countRecoveryCodes(tx, caller.userId),
      })),
    enrol: (caller, also) =>
      onDuty(async (tx) => {
        const enrolment = await enrolTotp(parts, tx, caller)
        await also?.(tx, caller)
        return enrolment
      }),
    confirm: async (caller, code, also) => {
      const confirmed = await onDuty(async (tx) => {
        if (await hasTotp(tx, caller.userId))
          throw fault('conflict', { detail: 'An authenticator app is set up already.' })
        const outcome = await spendTotpCode(parts, tx, caller.userId, code)
        if (outcome !== 'right') return { outcome, codes: [] }
        const codes = await makeRecoveryCodes(tx, caller.userId, refreshSecret)
        await upgradeSession(tx, caller.sessionId, parts.revocations)
        await also?.(tx, caller)
        return { outcome, codes }
      })
      refuseWrongCode(confirmed.outcome)
      return confirmed.codes
    },
    renewRecoveryCodes: (caller, also) =>
      onDuty(async (tx) => {
        if (!(await hasTotp(tx, caller.userId))) throw fault('not_found')
        const codes = await makeRecoveryCodes(tx, caller.userId, refreshSecret)
        await also?.(tx, caller)
        return codes
      }),
    remove: (caller, also) =>
      onDuty(async (tx) => {
        await removeTotp(tx, caller.userId)
        await also?.(tx, caller)
      }),
  }
}

const TRIES_MAX = 5

/** The code that a sign-in waited for: of the app, or a recovery code. Throws `challenge_expired`, `wrong_code`, `too_many_requests`. */
export async function checkSecondFactor(
  parts: Parts,
  { ticket, code }: { readonly ticket: string; readonly code: string },
): Promise<UserId> {
  const { database, clock, refreshSecret } = parts.settings
  // What is counted must stay counted: nothing throws inside.
  const checked = await database.withDuty('identity', async (tx) => {
    const { userId } = await tryChallenge(tx, clock, { kind: 'second_factor', ticket, triesMax: TRIES_MAX })
    if (!userId) throw fault('challenge_expired')
    const isDigits = /^[\d\s]*$/.test(code)
    const outcome: CodeOutcome = isDigits
      ? await spendTotpCode(parts, tx, userId, code)
      : (await consumeRecoveryCode(tx, userId, code, { secret: refreshSecret, clock }))
        ? 'right'
        : 'wrong'
    if (outcome === 'right') await closeChallenge(tx, ticket)
    return { userId, outcome }
  })
  refuseWrongCode(checked.outcome)
  return checked.userId
}
