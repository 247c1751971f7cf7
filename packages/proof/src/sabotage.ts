/** A change of the real stack that a proof must notice. Applied to a copy; the product has no switch for any of them. */
export type Sabotage = PatchSabotage | SettingsSabotage | SqlSabotage

interface Named {
  /** What goes wrong with it, in a few words: `cookies are readable by scripts`. */
  readonly name: string
}

/** Search and replace in one file of the copy. The text must be there exactly once. */
export interface PatchSabotage extends Named {
  readonly kind: 'patch'
  /** From the root of the repository; TypeScript sources are compiled, other files changed as they are; `*` stands for a hash in the name of a built file. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

/** Settings that an operator could make by mistake. */
export interface SettingsSabotage extends Named {
  readonly kind: 'settings'
  readonly settings: Readonly<Record<string, string>>
}

/** A statement that a hasty administrator could run. */
export interface SqlSabotage extends Named {
  readonly kind: 'sql'
  readonly sql: string
}

export const patch = (name: string, file: string, find: string, replace: string): PatchSabotage => ({
  kind: 'patch',
  name,
  file,
  find,
  replace,
})
export const wrongSettings = (name: string, settings: Readonly<Record<string, string>>): SettingsSabotage => ({
  kind: 'settings',
  name,
  settings,
})
/** A function of the database with one text of it replaced. Fails when the text is not there. */
export const wrongFunction = (name: string, signature: string, find: string, replace: string): SqlSabotage =>
  wrongSql(
    name,
    `do $sabotage$ declare body text := pg_get_functiondef('${signature}'::regprocedure); begin
      if position($find$${find}$find$ in body) = 0 then raise exception 'the text is not in ${signature}'; end if;
      execute replace(body, $find$${find}$find$, $with$${replace}$with$);
    end $sabotage$`,
  )
export const wrongSql = (name: string, sql: string): SqlSabotage => ({ kind: 'sql', name, sql })
