import { KiB, SECOND } from '@seaworthy/core'

/** What a proxy in front must agree with. */
export const bounds = {
  headersMs: 10 * SECOND,
  /** Longer than any proxy in front keeps an idle connection: it, and not we, lets go of it. */
  keepAliveMs: 65 * SECOND,
  headerBytesMax: 16 * KiB,
  /** What a form adds around a file. */
  formBytesMax: 16 * KiB,
  /** Longest time in which nothing of a file arrives. */
  silenceMs: 12 * SECOND,
  /** One network may ask for as much as so many callers. */
  callersPerNetwork: 10,
} as const
