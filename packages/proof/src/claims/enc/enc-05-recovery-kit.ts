import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { atMost, defineClaim, exactly } from '../../claim.ts'
import { onServer } from '../../rig/external.ts'
import { keysOrThrow, runKeys } from '../../rig/keys.ts'
import { keepProviderKey, randomSecret, seeProviderKeys } from '../../rig/provider-keys.ts'
import type { Rig } from '../../rig/rig.ts'
import { type Stack, statusOf } from '../../rig/stack.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const NAME = 'proof_kit'
const passphrase = 'four boats in the harbour'

export const claim = defineClaim({
  id: 'ENC-05',
  says: 'On a machine that lost the encryption key the product refuses to start, serves nothing, and names the fingerprint it expects; the recovery kit and its passphrase bring back what was sealed, and no other passphrase opens it',
  answers: ['E5', 'ASVS 11.2.4', 'ASVS 13.3.1'],
  witness: 'a second machine: another data directory on the same database',
  tier: 'full',
  seconds: 25,
  limits: {
    'starts with a wrong key': exactly(0, 'starts'),
    'requests served with a wrong key': exactly(0, 'requests'),
    'refusals without the expected fingerprint': exactly(0, 'refusals'),
    'slowest refusal': atMost(15_000, 'ms'),
    'kits opened with another passphrase': exactly(0, 'kits'),
    'sealed values lost': exactly(0, 'values'),
  },
  experiment: async (rig) => {
    const host = await rig.start({ environment: { WORKER_PROCESSES: '0' } })
    const admin = await host.database('admin')
    await admin.query(`create database ${NAME}`)
    // The key is each machine's own: made at its first start, in its data directory.
    const settings = { ...onServer(admin, NAME), ENCRYPTION_KEY: '' }
    const installed = (stack: Stack) => ({
      product: rig.product,
      dataDirectory: stack.dataDirectory,
      environment: settings,
    })
    const first = await rig.start({ environment: settings })
    const person = await first.newcomer()
    const secrets = [randomSecret(rig.random), randomSecret(rig.random), randomSecret(rig.random)]
    for (const [i, secret] of secrets.entries()) await keepProviderKey(person, `provider-${i}`, secret)
    const kit = join(rig.scratch, 'kit.txt')
    await keysOrThrow(installed(first), ['kit', kit], [passphrase, passphrase])
    const verified = await keysOrThrow(installed(first), ['kit', '--verify', kit], [passphrase])
    const fingerprint = /[0-9a-f]{16}/.exec(verified)?.[0] ?? 'none'
    await first.stop()
    const refused = [
      await tryStart(rig, settings, fingerprint),
      await tryStart(rig, { ...settings, ENCRYPTION_KEY: randomBytes(32).toString('hex') }, fingerprint),
    ]
    const second = await rig.launch({ environment: settings })
    const early = (await outcomeOf(second)).outcome === 'ready'
    const wrong = await runKeys(installed(second), ['restore', kit], ['four boats in the harbor'])
    await keysOrThrow(installed(second), ['restore', kit], [passphrase])
    if (!early) await second.restart()
    const shown = (await seeProviderKeys(await second.signIn(person))) ?? []
    return {
      measured: {
        'starts with a wrong key': refused.filter((start) => start.ready).length + (early ? 1 : 0),
        'requests served with a wrong key': refused.filter((start) => start.served).length,
        'refusals without the expected fingerprint': refused.filter((start) => !start.named).length,
        'slowest refusal': Math.max(...refused.map((start) => start.ms)),
        'kits opened with another passphrase': wrong.code === 0 ? 1 : 0,
        'sealed values lost': secrets.filter(
          (secret, i) => !shown.some((key) => key.name === `provider-${i}` && key.lastFour === secret.slice(-4)),
        ).length,
      },
      met: {
        'the kit was read back and names its key': fingerprint !== 'none',
        'both wrong keys were tried': refused.length === 2,
      },
      evidence: [`the key ${fingerprint}`, ...refused.map((start) => start.said)],
    }
  },
  sabotages: [
    patch(
      'the fingerprint is not checked at start',
      'packages/platform/src/vault/fingerprints.ts',
      'if (missing.length)',
      'if (missing.length > 99)',
    ),
    patch(
      'the kit opens with any passphrase',
      'packages/platform/src/vault/kit.ts',
      "passphrase.reveal().normalize('NFKC')",
      'passphrase.reveal().slice(0, 0)',
    ),
    patch(
      'a restored key is kept, but not used',
      'packages/platform/src/vault/ring-files.ts',
      "(readSecretFile(join(folderOf(config), RING_FILES.old)) ?? '').split(',').filter(Boolean)",
      "''.split(',').filter(Boolean)",
    ),
  ],
})

async function tryStart(rig: Rig, environment: Readonly<Record<string, string>>, fingerprint: string) {
  const started = performance.now()
  const stack = await rig.launch({ environment })
  const { outcome, served } = await outcomeOf(stack)
  const output = stack.output()
  return {
    ready: outcome === 'ready',
    served,
    named: output.includes(fingerprint),
    ms: performance.now() - started,
    said:
      /The encryption key is not[^\n]*\n[^\n]*\n[^\n]*/.exec(output)?.[0] ?? `${outcome}, with no word about the key`,
  }
}

async function outcomeOf(stack: Stack): Promise<{ outcome: 'ended' | 'ready'; served: boolean }> {
  let served = false
  const outcome = await until(
    'the start is refused, or serves',
    async () => {
      served ||= (await statusOf(`${stack.url}/health/ready`, 500)) === 200
      return stack.exit() ? 'ended' : stack.output().includes('Seaworthy is up') && 'ready'
    },
    60_000,
  )
  return { outcome, served }
}
