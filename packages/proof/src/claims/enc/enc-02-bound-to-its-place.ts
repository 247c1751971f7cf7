import { atLeast, defineClaim, exactly } from '../../claim.ts'
import type { DatabaseClient } from '../../rig/database.ts'
import { keysOrThrow } from '../../rig/keys.ts'
import { insertClearPhotos } from '../../rig/many-photos.ts'
import type { Person } from '../../rig/person.ts'
import { jpegPhoto, uploadPhoto } from '../../rig/photo.ts'
import { keepProviderKey, randomSecret, seeProviderKeys } from '../../rig/provider-keys.ts'
import { changesOf, partsOf } from '../../rig/sealed-values.ts'
import { patch } from '../../sabotage.ts'

const MANY = 100_000

export const claim = defineClaim({
  id: 'ENC-02',
  says: 'A sealed value of which one byte was changed, or that was moved to another row, column or account, is refused; no nonce comes twice in 100,000 values of one account, and equal texts look different',
  answers: ['E1', 'ASVS 11.3.2', 'ASVS 11.3.3', 'ASVS 11.3.4'],
  witness: 'an attacker with all rights on the database, and psql',
  tier: 'full',
  seconds: 30,
  limits: {
    'changed values that opened': exactly(0, 'values'),
    'moved values that opened': exactly(0, 'values'),
    'salts that came twice': exactly(0, 'salts'),
    'nonces that came twice': exactly(0, 'nonces'),
    'equal texts that look alike': exactly(0, 'values'),
    'values encrypted': atLeast(MANY, 'values'),
  },
  experiment: async (rig) => {
    const stack = await rig.start({ environment: { WORKER_PROCESSES: '0' } })
    const [person, stranger] = [await stack.newcomer(), await stack.newcomer()]
    const secret = randomSecret(rig.random)
    const mine = await keepProviderKey(person, 'one', secret)
    const second = await keepProviderKey(person, 'two', secret)
    const theirs = await keepProviderKey(stranger, 'one', secret)
    const photo = await uploadPhoto(person, await jpegPhoto(), 'boat.jpg')
    const admin = await stack.database('admin')
    await admin.query('alter table seaworthy.provider_keys drop constraint provider_keys_secret_check')
    const vault = { admin, person, key: mine.id }
    const sealed = await sealedKey(admin, mine.id)
    const changed = []
    const changes = changesOf(sealed)
    for (const value of changes) if (await opensAs(vault, value)) changed.push(value)
    const moved = []
    for (const [from, value] of [
      ['another row', await sealedKey(admin, second.id)],
      ["another account's row", await sealedKey(admin, theirs.id)],
      ['another column', await nameOf(admin, photo)],
    ] as const)
      if (await opensAs(vault, value)) moved.push(from)
    await admin.query('update seaworthy.provider_keys set secret = $2 where id = $1', [mine.id, sealed])
    const stillOpens = (await seeProviderKeys(person))?.length === 2
    if (await opensInPhoto(vault, photo, sealed)) moved.push('a key in a name')
    await admin.query('update seaworthy.provider_keys set account_id = $2, name = $3 where id = $1', [
      mine.id,
      stranger.accountId,
      'moved',
    ])
    if (await seeProviderKeys(stranger)) moved.push('a whole row')
    const values = await encryptMany(admin, stranger, { product: rig.product, dataDirectory: stack.dataDirectory })
    return {
      measured: {
        'changed values that opened': changed.length,
        'moved values that opened': moved.length,
        'salts that came twice': values.length - new Set(values.map((value) => partsOf(value).salt)).size,
        'nonces that came twice': values.length - new Set(values.map((value) => partsOf(value).nonce)).size,
        'equal texts that look alike':
          values.length - new Set(values.map((value) => partsOf(value).bytes.toString('hex', 28))).size,
        'values encrypted': values.length,
      },
      met: {
        'the value opens where it stands': stillOpens,
        'every byte and every letter was changed': changes.length >= partsOf(sealed).bytes.length + sealed.length,
        'the values of the count are sealed': values.every((value) => value.startsWith('sw1.')),
      },
      evidence: [`${changes.length} changes of ${sealed}`, ...changed.slice(0, 3), ...moved],
    }
  },
  sabotages: [
    patch(
      'values are not bound to where they stand',
      'packages/platform/src/vault/place.ts',
      'lengthPrefixed(FORMAT, String(version), place.table, place.column, place.row, nameOf(columnsOf(place)))',
      'lengthPrefixed(FORMAT, String(version))',
    ),
    patch(
      'the nonce is fixed, and the salt with it',
      'packages/platform/src/vault/cipher.ts',
      'const header = randomBytes(HEADER_BYTES)',
      'const header = Buffer.alloc(HEADER_BYTES, randomBytes(0).length + 7)',
    ),
    patch(
      'the tag is not looked at',
      'packages/platform/src/vault/cipher.ts',
      'return Buffer.concat([decipher.update(bytes.subarray(HEADER_BYTES, -TAG_BYTES)), decipher.final()])',
      'return Buffer.concat([decipher.update(bytes.subarray(HEADER_BYTES, -TAG_BYTES))])',
    ),
    patch(
      'a value may be spelled in several ways',
      'packages/platform/src/vault/cipher.ts',
      " || bytes.toString('base64url') !== text",
      '',
    ),
  ],
})

interface Attacked {
  readonly admin: DatabaseClient
  readonly person: Person
  readonly key: string
}

/** Puts a value into the row of a key; true when its owner is shown something. */
async function opensAs({ admin, person, key }: Attacked, value: string): Promise<boolean> {
  await admin.query('update seaworthy.provider_keys set secret = $2 where id = $1', [key, value])
  return (await seeProviderKeys(person)) !== undefined
}

async function opensInPhoto({ admin, person }: Attacked, photo: string, value: string): Promise<boolean> {
  await admin.query('update cosnap.photos set name = $2 where id = $1', [photo, value])
  return (await person.fetch(`/api/cosnap/photos/${photo}`)).ok
}

async function sealedKey(admin: DatabaseClient, id: string): Promise<string> {
  const { rows } = await admin.query<{ secret: string }>('select secret from seaworthy.provider_keys where id = $1', [
    id,
  ])
  return rows[0]?.secret ?? ''
}

async function nameOf(admin: DatabaseClient, id: string): Promise<string> {
  const { rows } = await admin.query<{ name: string }>('select name from cosnap.photos where id = $1', [id])
  return rows[0]?.name ?? ''
}

/** As many equal names of one account, sealed by the product. */
async function encryptMany(
  admin: DatabaseClient,
  person: Person,
  installation: Parameters<typeof keysOrThrow>[0],
): Promise<readonly string[]> {
  await admin.query(`delete from cosnap.photos where account_id = $1`, [person.accountId])
  await admin.query('delete from seaworthy.provider_keys')
  await insertClearPhotos(admin, person.accountId, MANY, 'same.jpg')
  await admin.query(`delete from cosnap.photos where account_id <> $1`, [person.accountId])
  await keysOrThrow(installation, ['encrypt-existing', '--rate', '1000000'])
  const { rows } = await admin.query<{ name: string }>('select name from cosnap.photos')
  return rows.map((row) => row.name)
}
