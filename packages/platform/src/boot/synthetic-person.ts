import { join } from 'node:path'
import { type AccountId, credits, newId } from '@seaworthy/core'
import { readOrMakeSecret } from '../config/index.ts'
import { sql } from '../data/index.ts'
import type { Credentials } from '../identity/index.ts'
import { grantCredits } from '../payments/index.ts'
import { findPerson } from '../privacy/index.ts'
import type { Capabilities } from './capabilities.ts'
import { openIdentityOf } from './open-identity.ts'
import type { System } from './system.ts'

/** No mail ever goes to this name: RFC 2606. */
const EMAIL = 'journey@synthetic.invalid'

/** Nobody's account, which journeys use: one in each installation, with a password that only this machine knows. */
export interface SyntheticPerson extends Credentials {
  readonly accountId: AccountId
  /** Gives back what a journey has spent. */
  refund(amount: number): Promise<void>
}

/** Made when there is none; whether people may sign up does not matter. */
export async function openSyntheticPerson(system: System, capabilities: Capabilities): Promise<SyntheticPerson> {
  const { config, database } = capabilities
  const password = readOrMakeSecret(join(config.dataDirectory, 'secrets'), 'SYNTHETIC_PASSWORD')
  const credentials = { email: EMAIL, password }
  const accountId = (await accountOf(capabilities)) ?? (await signUp(system, capabilities, credentials))
  return {
    ...credentials,
    accountId,
    refund: (amount) =>
      database.withDuty('identity', (tx) => grantCredits(tx, accountId, credits(amount), `journey:${newId()}`)),
  }
}

const accountOf = async ({ database }: Capabilities): Promise<AccountId | undefined> =>
  (await findPerson(database, { email: EMAIL }))?.accountIds[0]

async function signUp(system: System, capabilities: Capabilities, credentials: Credentials): Promise<AccountId> {
  const { database } = capabilities
  const identity = await openIdentityOf(system, capabilities)
  try {
    const { caller } = await identity.signUp(credentials, { network: '', name: 'seaworthy' })
    await database.withDuty('identity', async (tx) => {
      await tx.run(sql`update seaworthy.users set email_verified_at = clock_timestamp() where id = ${caller.userId}`)
    })
    await identity.signOut(caller.sessionId)
    await database.withDuty('mail', (tx) => tx.run(sql`delete from seaworthy.mail where recipient = ${EMAIL}`))
    return caller.accountId
  } finally {
    await identity.stop()
  }
}
