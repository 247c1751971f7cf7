import { turnableClock } from '@seaworthy/testkit'
import { describe, expect, it } from 'vitest'
import { clientAddress, networkKey } from './network.ts'
import { createMemoryLimiter, rate } from './rate.ts'

describe('limits', () => {
  it('lets exactly N through, refuses N+1, and starts clean in the next window', () => {
    const clock = turnableClock()
    const limiter = createMemoryLimiter(clock)
    const five = rate('test.five', 5, 60_000)
    const take = () => limiter.take(five, 'a')
    expect(Array.from({ length: 5 }, () => take().allowed)).toEqual([true, true, true, true, true])
    expect(take()).toMatchObject({ allowed: false, remaining: 0, resetSeconds: 60 })
    clock.turn(59_999)
    expect(take()).toMatchObject({ allowed: false, resetSeconds: 1 })
    clock.turn(1)
    expect(take()).toMatchObject({ allowed: true, remaining: 4 })
    expect(limiter.take(five, 'b').remaining).toBe(4)
  })

  it('gives each of several processes its share, never more than the whole', () => {
    const limiter = createMemoryLimiter(turnableClock(), 3)
    const passed = Array.from({ length: 10 }, () => limiter.take(rate('test.shared', 10, 1_000), 'a').allowed).filter(
      Boolean,
    )
    expect(passed).toHaveLength(3)
  })

  it('holds a bounded number of keys', () => {
    const limiter = createMemoryLimiter(turnableClock())
    const one = rate('test.one', 1, 60_000)
    limiter.take(one, 'first')
    for (let i = 0; i < 100_000; i++) limiter.take(one, `key-${i}`)
    expect(limiter.take(one, 'first').allowed).toBe(true)
    expect(limiter.take(one, 'key-99999').allowed).toBe(false)
  })

  it('believes as many proxies as are counted, and no forged entry', () => {
    expect(clientAddress('10.0.0.1', '6.6.6.6', 0)).toBe('10.0.0.1')
    expect(clientAddress('10.0.0.1', '6.6.6.6, 203.0.113.7', 1)).toBe('203.0.113.7')
    expect(clientAddress('10.0.0.1', '6.6.6.6, 203.0.113.7, 10.0.0.9', 2)).toBe('203.0.113.7')
    expect(clientAddress('10.0.0.1', undefined, 2)).toBe('10.0.0.1')
    // Through a Unix socket.
    expect(clientAddress(undefined, '6.6.6.6, 203.0.113.7', 1)).toBe('203.0.113.7')
    expect(clientAddress(undefined, undefined, 1)).toBe('127.0.0.1')
    expect(clientAddress('10.0.0.1', '2001:db8::1', 1)).toBe('2001:db8::1')
    for (const forged of ['1.2","level":"error', 'unknown', '1.2.3.4, ', '203.0.113.7"'])
      expect(clientAddress('10.0.0.1', forged, 1)).toBe('10.0.0.1')
  })

  it('counts an IPv6 subscriber by the /64 and an IPv4 one by the address, however they are written', () => {
    expect(networkKey('2001:db8:1:2:aaaa::1')).toBe(networkKey('2001:0db8:0001:0002:bbbb:1:2:3'))
    expect(networkKey('2001:db8:1:2::1')).not.toBe(networkKey('2001:db8:1:3::1'))
    expect(networkKey('::ffff:203.0.113.7')).toBe('203.0.113.7')
    expect(networkKey('::1')).toBe('0:0:0:0')
  })
})
