import { createHash, randomBytes } from 'node:crypto'
import { decrypt, encrypt, lengthPrefixed } from './cipher.ts'
import { joinSecret, splitSecret } from './drivers/shamir.ts'
import type { KeyRing } from './key-ring.ts'
import { type OpenedKit, openedKit } from './kit.ts'
import { fromPrinted, toPrinted } from './printed.ts'

/** How many shares of a kit there are, and how many of them open it. */
export interface Split {
  readonly needed: number
  readonly all: number
}

/** A share as it was read: from a file, or typed in. */
export interface NamedText {
  readonly name: string
  readonly text: string
}

export interface OpenedShares extends OpenedKit {
  readonly kitId: string
  readonly split: Split
  /** Numbers of shares that were not among those that were read. */
  readonly unread: readonly number[]
}

interface Share extends Split {
  readonly name: string
  readonly kitId: Buffer
  readonly number: number
  readonly piece: Buffer
  readonly box: string
}

const TITLE = 'SEAWORTHY RECOVERY SHARE 1'
const BEGIN = '-----BEGIN SHARE-----'
const END = '-----END SHARE-----'
const FORMAT = 1
const ID_BYTES = 8
const KEY_BYTES = 32
const PIECE_BYTES = KEY_BYTES + 1
const SUM_BYTES = 4
const HEADER_BYTES = 4 + ID_BYTES
const ALL_MAX = 16

/** `3-of-5`. Throws when it is no such thing. */
export function parseSplit(text: string): Split {
  const [, needed = 0, all = 0] = (/^(\d{1,2})-of-(\d{1,2})$/.exec(text) ?? []).map(Number)
  if (needed >= 2 && needed <= all && all <= ALL_MAX) return { needed, all }
  throw new Error(
    `${text} says not how many shares open the kit.\n    HINT: --shares 3-of-5, at least 2 and at most ${ALL_MAX}`,
  )
}

/**
 * The ring under a key of its own that nobody keeps, and that key in shares: any `needed` of the texts open the kit
 * without a passphrase, fewer open nothing.
 */
export async function writeShares(ring: KeyRing, { needed, all }: Split, madeAt: Date): Promise<readonly string[]> {
  const [kitId, key] = [randomBytes(ID_BYTES), randomBytes(KEY_BYTES)]
  const keys = ring.all()
  const box = encrypt(key, contextOf(kitId, { needed, all }), Buffer.concat(keys.map(({ bytes }) => bytes)))
  const pieces = await splitSecret(key, needed, all)
  return pieces.map((piece, i) => {
    const body = Buffer.concat([Buffer.from([FORMAT, needed, all, i + 1]), kitId, piece, Buffer.from(box, 'base64url')])
    return [
      TITLE,
      '',
      `kit           ${kitId.toString('hex')}`,
      `share         ${i + 1} of ${all}; any ${needed} open the kit`,
      `made on       ${madeAt.toISOString()}`,
      ...keys.map(({ id }, at) => `${at === 0 ? 'current key ' : 'older key   '}  ${id}`),
      '',
      `This share alone opens nothing. With ${needed - 1} others, and no passphrase, it opens what this installation has sealed.`,
      'Give each to somebody else. To use them: seaworthy keys restore FILE FILE ...',
      '',
      BEGIN,
      ...toPrinted(Buffer.concat([body, sumOf(body)])),
      END,
      '',
    ].join('\n')
  })
}

export const isShare = (text: string): boolean => text.includes(TITLE)

/** Throws with the name of the share that is damaged, twice there or of another kit, and with the numbers that are missing. */
export async function openShares(texts: readonly NamedText[]): Promise<OpenedShares> {
  const shares = texts.map(readShare)
  const [first] = shares
  if (!first) throw new Error('There is no share.')
  refuseMixed(first, shares)
  const enough = shares.slice(0, first.needed)
  const missing = missingIn(first, shares)
  if (enough.length < first.needed)
    throw new Error(
      `The kit ${first.kitId.toString('hex')} opens with ${first.needed} shares, and there are ${shares.length}.\n    HINT: bring ${first.needed - shares.length} of the shares ${missing.join(', ')}`,
    )
  const plain = await openWith(enough)
  if (!plain) throw new Error(`These shares do not fit together: ${enough.map(({ name }) => name).join(', ')}`)
  // Each of the others must do in the place of one of these.
  for (const other of shares.slice(first.needed))
    if (!(await openWith([...enough.slice(1), other])))
      throw new Error(`${other.name} does not fit to the other shares.`)
  const kit = openedKit(plain)
  if (!kit) throw new Error('There is no key in the kit.')
  return {
    ...kit,
    kitId: first.kitId.toString('hex'),
    split: { needed: first.needed, all: first.all },
    unread: missing,
  }
}

const missingIn = ({ all }: Split, shares: readonly Share[]): readonly number[] =>
  Array.from({ length: all }, (_, i) => i + 1).filter((number) => !shares.some((share) => share.number === number))

function refuseMixed(first: Share, shares: readonly Share[]): void {
  for (const [i, share] of shares.entries()) {
    const isSameKit =
      share.kitId.equals(first.kitId) &&
      share.box === first.box &&
      share.needed === first.needed &&
      share.all === first.all
    if (!isSameKit)
      throw new Error(
        `${share.name} is a share of the kit ${share.kitId.toString('hex')}, and ${first.name} of ${first.kitId.toString('hex')}.\n    HINT: bring shares of one kit`,
      )
    const twin = shares.slice(0, i).find(({ number }) => number === share.number)
    if (twin) throw new Error(`${twin.name} and ${share.name} are the same share, ${share.number} of ${share.all}.`)
  }
}

async function openWith(shares: readonly Share[]): Promise<Buffer | undefined> {
  const [first] = shares
  if (!first) return undefined
  const key = await joinSecret(shares.map(({ piece }) => piece))
  return decrypt(key, contextOf(first.kitId, first), first.box)
}

function readShare({ name, text }: NamedText): Share {
  const bytes = isShare(text) ? fromPrinted(text, BEGIN, END) : undefined
  if (!bytes) throw new Error(`${name} is not a share of a recovery kit.\n    HINT: it begins with ${TITLE}`)
  const body = bytes.subarray(0, -SUM_BYTES)
  if (
    body.length <= HEADER_BYTES + PIECE_BYTES ||
    !sumOf(body).equals(bytes.subarray(-SUM_BYTES)) ||
    body[0] !== FORMAT
  )
    throw new Error(`${name} was changed or is not whole.\n    HINT: compare the code with the print, letter by letter`)
  const [, needed = 0, all = 0, number = 0] = body
  return {
    name,
    needed,
    all,
    number,
    kitId: body.subarray(4, HEADER_BYTES),
    piece: body.subarray(HEADER_BYTES, HEADER_BYTES + PIECE_BYTES),
    box: body.subarray(HEADER_BYTES + PIECE_BYTES).toString('base64url'),
  }
}

const contextOf = (kitId: Buffer, { needed, all }: Split): Buffer =>
  lengthPrefixed(TITLE, kitId.toString('hex'), String(needed), String(all))

const sumOf = (body: Buffer): Buffer => createHash('sha256').update(TITLE).update(body).digest().subarray(0, SUM_BYTES)
