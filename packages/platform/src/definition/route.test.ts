import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineApp } from './app.ts'
import { noBody, route, unlimited } from './index.ts'

const base = {
  name: 'test.thing',
  summary: 'A thing',
  auth: 'member',
  limit: unlimited,
  reply: { 204: z.undefined() },
} as const
const handle = async () => ({ status: 204 as const, body: undefined })

describe('the language of routes', () => {
  // Each mark below is itself checked: the type check of the tests fails when a line under one compiles.
  it('does not compile without what a route must say', () => {
    const { auth: _auth, ...withoutAuth } = base
    const { limit: _limit, ...withoutLimit } = base
    const complete = { ...base, method: 'POST', path: '/things', body: noBody, audit: 'thing_make', handle } as const
    route(complete)
    // @ts-expect-error auth is missing
    route({ ...withoutAuth, method: 'POST', path: '/things', body: noBody, audit: 'thing_make', handle })
    // @ts-expect-error the limit is missing
    route({ ...withoutLimit, method: 'POST', path: '/things', body: noBody, audit: 'thing_make', handle })
    // @ts-expect-error a route that changes something says what it takes
    route({ ...base, method: 'POST', path: '/things', audit: 'thing_make', handle })
    // @ts-expect-error a route that changes something is audited
    route({ ...base, method: 'POST', path: '/things', body: noBody, handle })
    // @ts-expect-error a parameter in the path has a schema
    route({ ...base, method: 'GET', path: '/things/{id}', handle })
    // @ts-expect-error a status that is not declared cannot be given
    route({ ...complete, handle: async () => ({ status: 200 as const, body: undefined }) })
    expect(complete.audit).toBe('thing_make')
  })

  it('refuses two routes on one address, and names without the name of the app', () => {
    const one = route({
      ...base,
      name: 'test.one',
      method: 'GET',
      path: '/things/{id}',
      params: z.strictObject({ id: z.string() }),
      handle,
    })
    const two = route({
      ...base,
      name: 'test.two',
      method: 'GET',
      path: '/things/{other}',
      params: z.strictObject({ other: z.string() }),
      handle,
    })
    expect(() => defineApp({ name: 'test', title: 'Test', routes: [one, two] })).toThrow(/used twice/)
    expect(() => defineApp({ name: 'other', title: 'Other', routes: [one] })).toThrow(
      /must start with the name of its app/,
    )
  })
})
