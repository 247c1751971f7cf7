import { isIP } from 'node:net'

const THIS_MACHINE = '127.0.0.1'

/**
 * The address of whoever speaks to us, behind a counted number of proxies: with `trusted` proxies the entry that the
 * outermost of them added is believed, and everything further left is only what the caller claims. What is no address
 * at all comes from no proxy, and must not reach limits and logs. Who comes through a Unix socket has no address of its
 * own, and is on this machine.
 */
export function clientAddress(
  peerAddress: string | undefined,
  forwardedFor: string | undefined,
  trusted: number,
): string {
  const socketAddress = peerAddress || (trusted > 0 ? THIS_MACHINE : '')
  if (trusted === 0 || !forwardedFor) return socketAddress
  const hops = forwardedFor.split(',').map((hop) => hop.trim())
  const hop = hops[Math.max(0, hops.length - trusted)] ?? ''
  return isIP(hop) ? hop : socketAddress
}

/** What a limit by network counts: an IPv4 address, or the /64 that one IPv6 subscriber owns. */
export function networkKey(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '')
  if (!plain.includes(':')) return plain
  const [head = '', tail] = plain.split('::')
  const left = head ? head.split(':') : []
  const right = tail ? tail.split(':') : []
  const groups =
    tail === undefined
      ? left
      : [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right]
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, '').toLowerCase())
    .join(':')
}
