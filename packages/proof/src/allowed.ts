/** Claims that `--strict` does not hold against a machine that cannot test them, with the reason. */
export const allowedUntested: Readonly<Record<string, string>> = {}
