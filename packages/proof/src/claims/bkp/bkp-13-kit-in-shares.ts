import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineClaim, exactly } from '../../claim.ts'
import type { DatabaseClient } from '../../rig/database.ts'
import { keysOrThrow, runKeys } from '../../rig/keys.ts'
import { keepProviderKey, randomSecret, seeProviderKeys } from '../../rig/provider-keys.ts'
import { openGuarded } from '../../rig/recovery.ts'
import { patch } from '../../sabotage.ts'

export const claim = defineClaim({
  id: 'BKP-13',
  says: 'The recovery kit comes in shares for several people: enough of them restore an empty machine without a passphrase, fewer open nothing, wrong ones are named, and the kit counts only when every share was read back',
  answers: ['E5', 'E11'],
  witness: 'an empty machine with a store and shares; shares that were changed, mixed and left out',
  needs: ['restic'],
  tier: 'full',
  seconds: 40,
  limits: {
    'restores with enough shares that failed': exactly(0, 'restores'),
    'sealed values lost': exactly(0, 'values'),
    'sets of shares that opened and must not': exactly(0, 'sets'),
    'refusals that do not name what is wrong': exactly(0, 'refusals'),
    'kits that counted before all shares were read': exactly(0, 'kits'),
    'keys in clear in a share': exactly(0, 'keys'),
  },
  experiment: async (rig) => {
    const { stack, admin, backUp, archived, destroy, restore } = await openGuarded(rig)
    const person = await stack.newcomer()
    const secret = randomSecret(rig.random)
    await keepProviderKey(person, 'provider', secret)
    const here = { product: rig.product, dataDirectory: stack.dataDirectory }
    const share = (kit: string, number: number): string => join(rig.scratch, `${kit}-${number}.txt`)
    for (const kit of ['ours', 'other'])
      await keysOrThrow(here, ['kit', '--shares', '3-of-5', join(rig.scratch, `${kit}.txt`)])
    const [one = '', two = '', three = '', four = '', five = ''] = [1, 2, 3, 4, 5].map((number) =>
      share('ours', number),
    )
    await admin.query('update seaworthy.ring_keys set kit_verified_at = null')
    const some = await runKeys(here, ['kit', '--verify', one, two, three, four])
    const early = await isVerified(admin)
    await keysOrThrow(here, ['kit', '--verify', one, two, three, four, five])
    const counts = await isVerified(admin)
    const ring = readFileSync(join(stack.dataDirectory, 'secrets', 'ENCRYPTION_KEY'), 'utf8').trim()
    await backUp()
    await archived()
    await destroy()
    const changed = join(rig.scratch, 'changed.txt')
    writeFileSync(changed, changeLetter(readFileSync(three, 'utf8')))
    const wrong: readonly [readonly string[], string][] = [
      [[one, two], '3, 4, 5'],
      [[one, two, changed], 'changed.txt was changed'],
      [[one, two, share('other', 3)], 'other-3.txt is a share of the kit'],
      [[one, two, two], 'are the same share, 2 of 5'],
    ]
    const refusals = []
    for (const [files, words] of wrong)
      refusals.push({ ...(await restore('latest', undefined, ['--kit', ...files])), words })
    const recovered = await restore('latest', undefined, ['--kit', five, two, four])
    const machine = recovered.code === 0 ? await recovered.start() : undefined
    const shown = machine && (await seeProviderKeys(await machine.signIn(person)))
    return {
      measured: {
        'restores with enough shares that failed': recovered.code === 0 ? 0 : 1,
        'sealed values lost': shown?.some(({ lastFour }) => lastFour === secret.slice(-4)) ? 0 : 1,
        'sets of shares that opened and must not': refusals.filter(({ code }) => code === 0).length,
        'refusals that do not name what is wrong': refusals.filter(({ stderr, words }) => !stderr.includes(words))
          .length,
        'kits that counted before all shares were read': Number(some.code === 0 || early),
        'keys in clear in a share': [one, two, three, four, five].filter((file) =>
          readFileSync(file, 'utf8').includes(ring),
        ).length,
      },
      met: {
        'the kit counted when all of its shares were read': counts,
        'four sets were refused or opened': refusals.length === 4 && ring.length === 64,
      },
      evidence: [some.stderr, ...refusals.map(({ stderr }) => stderr.trim()), recovered.stdout.slice(0, 300)],
    }
  },
  sabotages: [
    patch(
      'too few shares are tried all the same',
      'packages/platform/src/vault/shares.ts',
      'if (enough.length < first.needed)',
      'if (enough.length < 2)',
    ),
    patch(
      'the kit counts with the shares that open it',
      'packages/cli/src/keys.ts',
      'if (kit.unread?.length)',
      'if ((kit.unread?.length ?? 0) > 99)',
    ),
    patch(
      'what is typed wrong is not noticed by its sum',
      'packages/platform/src/vault/shares.ts',
      '!sumOf(body).equals(bytes.subarray(-SUM_BYTES))',
      'sumOf(body).length > 99',
    ),
    patch(
      'shares of several kits are taken together',
      'packages/platform/src/vault/shares.ts',
      'if (!isSameKit)',
      'if (!isSameKit && shares.length > 99)',
    ),
  ],
})

async function isVerified(admin: DatabaseClient): Promise<boolean> {
  const { rows } = await admin.query('select 1 from seaworthy.ring_keys where kit_verified_at is null')
  return rows.length === 0
}

/** One letter of the piece that the share holds. */
function changeLetter(text: string): string {
  const start = text.indexOf('-----BEGIN SHARE-----') + 70
  const at = start + text.slice(start).search(/[0-9A-Z]/)
  return `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`
}
