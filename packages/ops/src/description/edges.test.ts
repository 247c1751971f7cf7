import { describe, expect, it } from 'vitest'
import { system } from '../../../../seaworthy.config.ts'
import { callers, describe as describeSystem, edgesOf } from './index.ts'

const description = describeSystem(system, '1.0.0')
const edges = edgesOf(description, 'kubernetes-production')
const reached = (from: string) => edges.filter((edge) => edge.from === from).map((edge) => `${edge.to}:${edge.port}`)

describe('edges', () => {
  it('give every caller somebody to call, and nobody twice', () => {
    for (const caller of callers) expect(reached(caller)).not.toEqual([])
    expect(new Set(edges.map(({ from, to, port }) => `${from} ${to} ${port}`)).size).toBe(edges.length)
  })

  it('let people reach nothing but the proxy, and the proxy nothing but people’s port', () => {
    expect(reached('people')).toEqual(['proxy:8080', 'proxy:8443'])
    expect(reached('proxy')).toEqual(['web:3000'])
  })

  it('let nobody but the watcher read metrics, and let it read nothing else', () => {
    expect(edges.filter(({ port }) => port === 3_001).map(({ from }) => from)).toEqual(['monitoring', 'monitoring'])
    expect(reached('monitoring')).toEqual(['web:3001', 'worker:3001'])
  })

  it('let nobody but processes of ours reach the database', () => {
    expect(edges.filter(({ to }) => to === 'database').map(({ from }) => from)).toEqual(['web', 'worker', 'migrate'])
  })

  it('let nobody out where neither files nor mail are kept elsewhere', () => {
    expect(reached('worker')).toEqual(['database:5432', 'outside:443', 'outside:465', 'outside:587'])
    const atHome = edgesOf(description, 'compose-development')
    expect(atHome.filter(({ to }) => to === 'outside')).toEqual([])
  })
})
