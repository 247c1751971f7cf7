import { describe, expect, it } from 'vitest'
import { system } from '../../../../seaworthy.config.ts'
import { describe as describeSystem, fromSecret, places, roles, valuesOf } from './index.ts'

const description = describeSystem(system, '1.0.0')

describe('description', () => {
  it('takes the sizes of uploads from the routes that take them', () => {
    expect(description.http.uploads).toContainEqual({
      method: 'POST',
      address: '/api/cosnap/photos',
      maxBytes: 30 * 1_048_576,
    })
    expect(description.http.uploads.map(({ address }) => address)).toContain('/api/uploads/{id}')
  })

  it('gives every place and role the same settings', () => {
    const names = places.flatMap((place) =>
      roles.map((role) =>
        valuesOf(description, place, role)
          .map(([name]) => name)
          .join(),
      ),
    )
    expect(new Set(names).size).toBe(1)
  })

  it('never gives the value of a secret', () => {
    for (const place of places)
      for (const [name, value] of valuesOf(description, place, 'web'))
        if (/SECRET|KEY|PASSWORD|_URL$/.test(name) && name !== 'PUBLIC_URL' && value !== '')
          expect([name, value]).toEqual([name, fromSecret])
  })

  it('is the same each time', () => {
    expect(describeSystem(system, '1.0.0')).toEqual(description)
  })
})
