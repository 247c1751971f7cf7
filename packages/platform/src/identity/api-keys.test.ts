import { DAY, MINUTE, Secret } from '@seaworthy/core'
import { openTestDatabase, type TestDatabase, turnableClock } from '@seaworthy/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMemoryLogger } from '../telemetry/index.ts'
import { openKeyRing, openVault } from '../vault/index.ts'
import { openApiKeys } from './api-keys.ts'
import { type Identity, openIdentity } from './identity.ts'

describe('an API key', () => {
  let test: TestDatabase
  let identity: Identity
  const clock = turnableClock(Date.now())
  const log = createMemoryLogger()
  beforeAll(async () => {
    test = await openTestDatabase()
    identity = await openIdentity({
      database: test.database,
      vault: openVault({ ring: openKeyRing(test.config) }),
      publicUrl: 'http://localhost:3000',
      accessSecret: new Secret('an access secret with enough of everything 42'),
      refreshSecret: new Secret('a refresh secret that is something else 43'),
      accessMs: 15 * MINUTE,
      refreshMs: 7 * DAY,
      sessionMs: 30 * DAY,
      signingKeyMs: 90 * DAY,
      clock,
      log,
    })
  })
  afterAll(async () => {
    await identity.stop()
    await test.close()
  })

  it('is not remembered when its end was heard of while it was being read', async () => {
    const listeners: ((id: string) => void)[] = []
    const onKeyChanged = (listener: (id: string) => void): void => void listeners.push(listener)
    const keys = openApiKeys({ database: test.database, clock, log, onKeyChanged })
    const device = { network: '127.0.x.x', name: 'test' }
    const { caller } = await identity.signUp({ email: 'keys@example.com', password: 'a long enough password' }, device)
    const { id, key } = await keys.create(caller, { name: 'Script', role: 'member', scopes: ['cosnap:read'] })
    const reading = keys.identify(key)
    for (const tell of listeners) tell(id)
    expect(await reading).toMatchObject({ accountId: caller.accountId })
    await keys.revoke(caller, id)
    await expect((async () => keys.identify(key))()).rejects.toMatchObject({ code: 'unauthenticated' })
    keys.stop()
  })
})
