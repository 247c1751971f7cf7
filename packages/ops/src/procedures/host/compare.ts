import { boundOf, slowerThan, type Traffic } from './traffic.ts'

/**
 * Whether a new release is worse than the old one. Counts are small and uneven (a canary has one request of ten), where
 * approximations are wrong: Fisher's exact test says how probable it is to see so many failures, or more, if both were
 * equally good. A new release is called worse when that is below one in a thousand and the difference also matters.
 */
export function judge(before: Traffic, now: Traffic): string | undefined {
  return moreErrors(before, now) ?? slower(before, now)
}

const SURE = 0.001
const ERRORS_MIN = 3
/** Below this share nobody is woken: a release is not taken back for it. */
const ERROR_SHARE_MIN = 0.01
const SLOW_SHARE_MIN = 0.1
/** Answers faster than this are fast, however fast the old ones were. */
const SLOW_SECONDS_MIN = 0.25

function moreErrors(before: Traffic, now: Traffic): string | undefined {
  const share = now.errors / now.requests
  if (now.errors < ERRORS_MIN || share < ERROR_SHARE_MIN) return undefined
  const chance = chanceOfAtLeast(now.errors, now.requests, before.errors, before.requests)
  // Where nothing was asked of the old one there is nothing to compare with, and so many failures are too many.
  if (before.requests > 0 && chance >= SURE) return undefined
  return `${now.errors} of ${now.requests} requests failed, with the release before ${before.errors} of ${before.requests}`
}

function slower(before: Traffic, now: Traffic): string | undefined {
  const usual = boundOf(before, 0.95)
  const allowed =
    usual && now.within.map(([bound]) => bound).find((bound) => bound >= Math.max(2 * usual, SLOW_SECONDS_MIN))
  if (!allowed) return undefined
  const [slowNow, slowBefore] = [slowerThan(now, allowed), slowerThan(before, allowed)]
  if (slowNow < SLOW_SHARE_MIN * now.requests) return undefined
  if (chanceOfAtLeast(slowNow, now.requests, slowBefore, before.requests) >= SURE) return undefined
  return `${slowNow} of ${now.requests} answers took more than ${allowed * 1_000} ms, with the release before ${slowBefore} of ${before.requests}`
}

/**
 * One-sided Fisher test: of `hits` among `of` and `otherHits` among `others`, how probable are at least `hits` on this
 * side when all hits were dealt out at random.
 */
export function chanceOfAtLeast(hits: number, of: number, otherHits: number, others: number): number {
  const [total, allHits] = [of + others, hits + otherHits]
  let chance = 0
  for (let k = hits; k <= Math.min(of, allHits); k++)
    if (allHits - k <= others)
      chance += Math.exp(logChoose(of, k) + logChoose(others, allHits - k) - logChoose(total, allHits))
  return Math.min(1, chance)
}

const logChoose = (n: number, k: number): number => logFactorial(n) - logFactorial(k) - logFactorial(n - k)

const known: number[] = [0]
const KNOWN_MAX = 10_000

/** Exact up to ten thousand; Stirling's series beyond, whose error is then below 1e-19. */
function logFactorial(n: number): number {
  if (n > KNOWN_MAX) return n * Math.log(n) - n + Math.log(2 * Math.PI * n) / 2 + 1 / (12 * n) - 1 / (360 * n ** 3)
  for (let i = known.length; i <= n; i++) known.push((known[i - 1] ?? 0) + Math.log(i))
  return known[n] ?? 0
}
