import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { atMost, defineClaim, exactly } from '../../claim.ts'
import { onServer } from '../../rig/external.ts'
import { keysOrThrow, runKeys } from '../../rig/keys.ts'
import { keepProviderKey, randomSecret, seeProviderKeys } from '../../rig/provider-keys.ts'
import type { Rig } from '../../rig/rig.ts'
import { type Stack, statusOf } from '../../rig/stack.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const passphrase = 'four boats in the harbour'

export const claim = defineClaim({
  id: 'ENC-05',
  says: 'On a machine that lost the encryption key the product refuses to start, serves nothing, and names the fingerprint it expects; the recovery kit and its passphrase bring back what was sealed, and no other passphrase opens it',
  answers: ['E5', 'ASVS 11.2.4', 'ASVS 13.3.1'],
  witness: 'a second machine: another data directory on the same database',
  tier: 'full',
  seconds: 40,
  limits: {
    'starts with a wrong key': exactly(0, 'starts'),
    'requests served with a wrong key': exactly(0, 'requests'),
    'refusals without the expected fingerprint': exactly(0, 'refusals'),
    'slowest refusal': atMost(30_000, 'ms'),
    'kits opened with another passphrase': exactly(0, 'kits'),
    'sealed values lost': exactly(0, 'values'),
  },
  experiment: async (rig) => {
    const first = await rig.start({ environment: { WORKER_PROCESSES: '0', DB_POOL_MAX: '4' } })
    const person = await first.newcomer()
    const secrets = [randomSecret(rig.random), randomSecret(rig.random), randomSecret(rig.random)]
    for (const [i, secret] of secrets.entries()) await keepProviderKey(person, `provider-${i}`, secret)
    const here = { product: rig.product, dataDirectory: first.dataDirectory }
    const kit = join(rig.scratch, 'kit.txt')
    await keysOrThrow(here, ['kit', kit], [passphrase, passphrase])
    const verified = await keysOrThrow(here, ['kit', '--verify', kit], [passphrase])
    const fingerprint = /[0-9a-f]{16}/.exec(verified)?.[0] ?? 'none'
    const settings = await allButTheKey(first)
    const given = await tryStart(rig, { ...settings, ENCRYPTION_KEY: randomBytes(32).toString('hex') }, fingerprint)
    // This one makes a key of its own, as an empty machine does.
    const made = await tryStart(rig, settings, fingerprint)
    const refused = [given, made]
    const there = { product: rig.product, dataDirectory: made.stack.dataDirectory, environment: settings }
    const wrong = await runKeys(there, ['restore', kit], ['four boats in the harbor'])
    await keysOrThrow(there, ['restore', kit], [passphrase])
    const isUp = made.ready || (await comesUp(made.stack))
    const shown = isUp ? await seeProviderKeys(await made.stack.signIn(person)) : []
    return {
      measured: {
        'starts with a wrong key': refused.filter((start) => start.ready).length,
        'requests served with a wrong key': refused.filter((start) => start.served).length,
        'refusals without the expected fingerprint': refused.filter((start) => !start.named).length,
        'slowest refusal': Math.max(...refused.map((start) => start.ms)),
        'kits opened with another passphrase': wrong.code === 0 ? 1 : 0,
        'sealed values lost': secrets.filter(
          (secret, i) => !shown?.some((key) => key.name === `provider-${i}` && key.lastFour === secret.slice(-4)),
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
      'a kit is opened, and its keys are left in it',
      'packages/cli/src/keys.ts',
      'adoptKeys(config, kit.keys)',
      '',
    ),
  ],
})

/** What another machine on the same database shares with the first: all secrets but the encryption key. */
async function allButTheKey(first: Stack): Promise<Record<string, string>> {
  const read = (name: string): string => readFileSync(join(first.dataDirectory, 'secrets', name), 'utf8').trim()
  const shared = onServer(await first.database('admin'), 'seaworthy')
  const secrets = Object.keys(shared).filter((name) => name.endsWith('_SECRET'))
  return { ...shared, ...Object.fromEntries(secrets.map((name) => [name, read(name)])), ENCRYPTION_KEY: '' }
}

async function tryStart(rig: Rig, environment: Readonly<Record<string, string>>, fingerprint: string) {
  const started = performance.now()
  const stack = await rig.launch({ environment })
  const { outcome, served } = await outcomeOf(stack)
  const output = stack.output()
  return {
    stack,
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

const comesUp = (stack: Stack): Promise<boolean> =>
  stack.restart().then(
    () => true,
    () => false,
  )
