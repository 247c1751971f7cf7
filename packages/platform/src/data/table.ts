import {
  type ColumnType,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from 'kysely'

declare const sealedMark: unique symbol
declare const blindMark: unique symbol

/** What only the vault makes from clear text, and only the vault opens. */
export type Sealed = string & { readonly [sealedMark]: true }
/** What equal texts of one account have in common, without showing them. Only the vault makes it. */
export type BlindIndex = string & { readonly [blindMark]: true }

/** A column whatever it holds. `pii` is redacted by its type wherever it is logged. */
interface AnyColumn {
  readonly sqlType: string
  readonly nullable: boolean
  readonly pii: boolean
  readonly sealed: boolean
  readonly types?: unknown
}

/** A column: what reading gives, what inserting and updating take. */
export interface Column<Select, Insert = Select, Update = Insert> extends AnyColumn {
  readonly types?: ColumnType<Select, Insert, Update>
}

export interface Table<
  Name extends string = string,
  Columns extends Readonly<Record<string, AnyColumn>> = Readonly<Record<string, AnyColumn>>,
> {
  readonly kind: 'table'
  /** With its schema: `cosnap.photos`. */
  readonly name: Name
  readonly columns: Columns
}

/** Declares a table for typed SQL. The migration makes it; a test holds the two against each other. */
export function table<const Name extends `${string}.${string}`, Columns extends Readonly<Record<string, AnyColumn>>>(
  name: Name,
  columns: Columns,
): Table<Name, Columns> {
  return { kind: 'table', name, columns }
}

const of = <Select, Insert = Select, Update = Insert>(
  sqlType: string,
  nullable = false,
): Column<Select, Insert, Update> => ({ sqlType, nullable, pii: false, sealed: false })

export const column = {
  id: () => of<string, string, never>('uuid'),
  /** The owner of the row: row-level security compares it with the caller's account. */
  account: () => of<string, string, never>('uuid'),
  reference: () => of<string>('uuid'),
  optionalReference: () => of<string | null, string | null | undefined>('uuid', true),
  text: <T extends string = string>() => of<T>('text'),
  optionalText: <T extends string = string>() => of<T | null, T | null | undefined>('text', true),
  integer: () => of<number>('int4'),
  optionalInteger: () => of<number | null, number | null | undefined>('int4', true),
  bigint: () => of<number>('int8'),
  real: () => of<number>('float8'),
  boolean: () => of<boolean, boolean | undefined, boolean>('bool'),
  time: () => of<Date>('timestamptz'),
  optionalTime: () => of<Date | null, Date | null | undefined>('timestamptz', true),
  /** Set by the database when the row is made. */
  createdAt: () => of<Date, never, never>('timestamptz'),
  json: <T>() => of<T, string, string>('jsonb'),
  optionalJson: <T>() => of<T | null, string | null | undefined, string | null>('jsonb', true),
  /** Encrypted by the vault: clear text does not compile here, and what is read is opened by the vault. */
  sealed: () => ({ ...of<Sealed>('text'), sealed: true }),
  optionalSealed: () => ({ ...of<Sealed | null, Sealed | null | undefined>('text', true), sealed: true }),
  /** For equality search over a sealed column. */
  blindIndex: () => of<BlindIndex>('text'),
}

/** Marks a column as personal data. */
export const pii = <C extends AnyColumn>(inner: C): C => ({ ...inner, pii: true })

type RowOf<T> = T extends { readonly columns: infer C }
  ? { [K in keyof C]: C[K] extends Column<infer S, infer I, infer U> ? ColumnType<S, I, U> : never }
  : never

/** The tables by their SQL names, as Kysely wants them. */
export type DatabaseOf<T extends Record<string, { readonly name: string }>> = {
  [K in keyof T as T[K]['name']]: RowOf<T[K]>
}

/** A query builder over these tables. It can build but not run: only a transaction runs. */
export function queries<T extends Record<string, Table>>(_tables: T): Kysely<DatabaseOf<T>> {
  return new Kysely<DatabaseOf<T>>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  })
}
