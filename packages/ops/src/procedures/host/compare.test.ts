import { describe, expect, it } from 'vitest'
import { chanceOfAtLeast, judge } from './compare.ts'
import { readTraffic, since, type Traffic } from './traffic.ts'

const traffic = (requests: number, errors = 0, slow = 0): Traffic => ({
  requests,
  errors,
  within: [
    [0.05, requests - slow],
    [0.5, requests - slow],
    [2.5, requests],
  ],
})

describe('the comparison of two releases', () => {
  it('knows the lady who tastes tea', () => {
    // Fisher 1935: all four cups right, 1 of 70; three of four, 17 of 70.
    expect(chanceOfAtLeast(4, 4, 0, 4)).toBeCloseTo(1 / 70, 12)
    expect(chanceOfAtLeast(3, 4, 1, 4)).toBeCloseTo(17 / 70, 12)
    expect(chanceOfAtLeast(0, 4, 4, 4)).toBeCloseTo(1, 12)
  })

  it('stays exact for a day of requests', () => {
    // By symmetry: of 20 hits in equal halves, at least 11 here is as probable as at most 9.
    const above = chanceOfAtLeast(11, 500_000, 9, 500_000)
    const equal = chanceOfAtLeast(10, 500_000, 10, 500_000) - above
    expect(2 * above + equal).toBeCloseTo(1, 6)
  })

  it('calls no release worse for what may be chance, or for what nobody would notice', () => {
    expect(judge(traffic(1_000, 2), traffic(100, 1))).toBeUndefined()
    expect(judge(traffic(900, 9), traffic(100, 3))).toBeUndefined()
    expect(judge(traffic(100_000), traffic(10_000, 20))).toBeUndefined()
    expect(judge(traffic(1_000), traffic(100, 0, 5))).toBeUndefined()
    expect(judge(traffic(0), traffic(0))).toBeUndefined()
  })

  it('calls a release worse that fails or is slow where the old one was not', () => {
    expect(judge(traffic(900), traffic(100, 5))).toMatch('5 of 100 requests failed')
    expect(judge(traffic(0), traffic(20, 3))).toMatch('3 of 20 requests failed')
    expect(judge(traffic(900), traffic(100, 0, 30))).toMatch('30 of 100 answers took more than 500 ms')
  })
})

describe('what a release has answered', () => {
  const text = `# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{le="0.05",method="GET",route="/api/x",status_code="200"} 3
http_request_duration_seconds_bucket{le="+Inf",method="GET",route="/api/x",status_code="200"} 4
http_request_duration_seconds_count{method="GET",route="/api/x",status_code="200"} 4
http_request_duration_seconds_bucket{le="0.05",method="GET",route="/api/x",status_code="503"} 1
http_request_duration_seconds_count{method="GET",route="/api/x",status_code="503"} 1
http_request_duration_seconds_count{method="GET",route="/health/ready",status_code="200"} 90
`
  it('is read without the probes', () => {
    expect(readTraffic(text)).toEqual({ requests: 5, errors: 1, within: [[0.05, 4]] })
  })

  it('counts from zero after a restart', () => {
    expect(since(traffic(10, 1), traffic(30, 2)).requests).toBe(20)
    expect(since(traffic(100), traffic(3)).requests).toBe(3)
  })
})
