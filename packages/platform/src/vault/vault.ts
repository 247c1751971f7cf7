import { createHmac } from 'node:crypto'
import { fault } from '@seaworthy/core'
import { type BlindIndex, type Sealed, sql, type Transaction } from '../data/index.ts'
import { lengthPrefixed } from './cipher.ts'
import { type DataKeySettings, openDataKeys } from './data-keys.ts'
import { columnsOf, type Owner, ownedBy, type Place } from './place.ts'
import { isSealed, openWith, sealWith, versionOf } from './sealed-text.ts'

/** Seals text so that it opens in its own table, column, row and account, and nowhere else. */
export interface Vault {
  /** Cipher text of its own each time, also for equal texts. The transaction must be the owner's, or on duty. */
  seal(tx: Transaction, place: Place, text: string): Promise<Sealed>
  /** Throws `sealed_unreadable` when the value was changed, stood somewhere else, or its key is gone. */
  open(tx: Transaction, place: Place, sealed: Sealed): Promise<string>
  /** Also reads what was stored before its column was sealed. Only until `seaworthy keys encrypt-existing` has run. */
  openOrClear(tx: Transaction, place: Place, stored: Sealed): Promise<string>
  /** What equal texts of one account in one column have in common. Store it beside the sealed value. */
  blindIndex(tx: Transaction, place: Omit<Place, 'row'> & Owner, text: string): Promise<BlindIndex>
  /** The same for a search; undefined when nothing of this account was ever indexed. */
  findBlindIndex(tx: Transaction, place: Omit<Place, 'row'> & Owner, text: string): Promise<BlindIndex | undefined>
  /** Deletes the keys of an owner, on duty: what they sealed is gone wherever it is kept. Returns how many. */
  shred(tx: Transaction, owner: Owner): Promise<number>
}

const INDEX_BYTES = 16

export function openVault(settings: DataKeySettings): Vault {
  const keys = openDataKeys(settings)
  const open = async (tx: Transaction, place: Place, sealed: string): Promise<string> => {
    const version = versionOf(sealed)
    if (version === undefined) throw unreadable(place, 'is not sealed')
    const key = await keys.find(tx, place, 'seal', version)
    if (!key) throw unreadable(place, `is sealed with the key ${version}, which is gone`)
    const text = openWith([key], place, sealed)
    if (text === undefined) throw unreadable(place, 'was changed or moved')
    return text
  }
  return {
    open,
    seal: async (tx, place, text) => sealWith(await keys.newest(tx, place, 'seal'), place, text),
    openOrClear: (tx, place, stored) => (isSealed(stored) ? open(tx, place, stored) : Promise.resolve(stored)),
    blindIndex: async (tx, place, text) => indexWith((await keys.newest(tx, place, 'index')).bytes, place, text),
    findBlindIndex: async (tx, place, text) => {
      const key = await keys.find(tx, place, 'index')
      return key && indexWith(key.bytes, place, text)
    },
    shred: async (tx, owner) => {
      tx.afterCommit(() => keys.forget(owner))
      return tx.run(sql`delete from seaworthy.account_keys where ${ownedBy(columnsOf(owner))}`)
    },
  }
}

function indexWith(key: Buffer, { table, column }: Pick<Place, 'table' | 'column'>, text: string): BlindIndex {
  const own = createHmac('sha256', key)
    .update(lengthPrefixed('seaworthy index', table, column))
    .digest()
  return createHmac('sha256', own).update(text).digest().subarray(0, INDEX_BYTES).toString('base64url') as BlindIndex
}

function unreadable({ table, column, row }: Place, why: string) {
  return fault('sealed_unreadable', { internal: `${table}.${column} of the row ${row} ${why}` })
}
