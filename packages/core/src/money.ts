declare const creditsMark: unique symbol

/** A whole, non-negative number of credits. Never a fraction, never a float. */
export type Credits = number & { readonly [creditsMark]: true }

const CREDITS_MAX = 1_000_000_000

export function credits(amount: number): Credits {
  if (!Number.isSafeInteger(amount) || amount < 0 || amount > CREDITS_MAX) {
    throw new Error(`not an amount of credits: ${amount}`)
  }
  return amount as Credits
}
