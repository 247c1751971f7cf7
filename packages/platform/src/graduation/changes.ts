/** What a database says about its changes, transaction by transaction, as its plugin `pgoutput` writes it (version 1). */
export type Change =
  | { readonly kind: 'begin'; readonly commit: bigint }
  | { readonly kind: 'commit'; readonly end: bigint }
  | { readonly kind: 'relation'; readonly relation: Relation }
  | { readonly kind: 'insert'; readonly relation: number; readonly row: Row }
  | { readonly kind: 'update'; readonly relation: number; readonly key: Row | undefined; readonly row: Row }
  | { readonly kind: 'delete'; readonly relation: number; readonly key: Row }
  | { readonly kind: 'truncate'; readonly relations: readonly number[]; readonly cascades: boolean }

export interface Relation {
  readonly id: number
  readonly schema: string
  readonly name: string
  /** Without a key: a row is told by all of its values, and two may be the same. */
  readonly isWhole: boolean
  readonly columns: readonly { readonly name: string; readonly isKey: boolean }[]
}

/** Values as the server writes them; undefined: it did not change, and is too long to be told again. */
export type Row = readonly (string | null | undefined)[]

/** Undefined for what changes no row. Throws for what is not known: nothing may be passed over. */
export function readChange(message: Buffer): Change | undefined {
  const reader = createReader(message)
  const kind = reader.letter()
  switch (kind) {
    case 'B':
      return { kind: 'begin', commit: reader.long() }
    case 'C':
      reader.skip(1 + 8)
      return { kind: 'commit', end: reader.long() }
    case 'R':
      return { kind: 'relation', relation: readRelation(reader) }
    case 'I': {
      const relation = reader.int()
      reader.skip(1)
      return { kind: 'insert', relation, row: readRow(reader) }
    }
    case 'U':
      return readUpdate(reader)
    case 'D': {
      const relation = reader.int()
      reader.skip(1)
      return { kind: 'delete', relation, key: readRow(reader) }
    }
    case 'T': {
      const count = reader.int()
      const cascades = (reader.byte() & 1) === 1
      return { kind: 'truncate', relations: Array.from({ length: count }, () => reader.int()), cascades }
    }
    case 'Y':
    case 'O':
      return undefined
    default:
      throw new Error(`the database tells a change of a kind that is not known: ${kind}`)
  }
}

function readRelation(reader: Reader): Relation {
  const [id, schema, name] = [reader.int(), reader.text(), reader.text()]
  const isWhole = reader.letter() === 'f'
  const columns = Array.from({ length: reader.short() }, () => {
    const isKey = (reader.byte() & 1) === 1
    const column = { name: reader.text(), isKey }
    reader.skip(8)
    return column
  })
  return { id, schema, name, isWhole, columns }
}

/** The old key comes first where it changed. */
function readUpdate(reader: Reader): Change {
  const relation = reader.int()
  const key = reader.letter() === 'N' ? undefined : readRow(reader)
  if (key) reader.skip(1)
  return { kind: 'update', relation, key, row: readRow(reader) }
}

function readRow(reader: Reader): Row {
  return Array.from({ length: reader.short() }, () => {
    const kind = reader.letter()
    if (kind === 'n') return null
    if (kind === 'u') return undefined
    if (kind === 't') return reader.sized()
    throw new Error(`the database tells a value in a form that is not known: ${kind}`)
  })
}

type Reader = ReturnType<typeof createReader>

function createReader(bytes: Buffer) {
  let at = 0
  const move = (length: number): number => {
    at += length
    return at - length
  }
  return {
    skip: (length: number): void => void move(length),
    byte: () => bytes.readUInt8(move(1)),
    short: () => bytes.readInt16BE(move(2)),
    int: () => bytes.readUInt32BE(move(4)),
    long: () => bytes.readBigUInt64BE(move(8)),
    letter: () => String.fromCharCode(bytes.readUInt8(move(1))),
    text: () => {
      const end = bytes.indexOf(0, at)
      return bytes.toString('utf8', move(end - at + 1), end)
    },
    sized: () => {
      const length = bytes.readInt32BE(move(4))
      return bytes.toString('utf8', move(length), at)
    },
  }
}

/** `0/1A2B3C4` as PostgreSQL writes a place in its log, and back. */
export const showPlace = (place: bigint): string =>
  `${(place >> 32n).toString(16).toUpperCase()}/${(place & 0xffffffffn).toString(16).toUpperCase()}`

export function parsePlace(text: string): bigint {
  const [high = '0', low = '0'] = text.split('/')
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`)
}
