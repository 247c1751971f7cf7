import { describe, expect, it } from 'vitest'
import { findPackage } from './binaries.ts'

describe('embedded PostgreSQL', () => {
  it('says where it is missing that an address of another server is needed', () => {
    expect(() => findPackage('linux', 'mips')).toThrow(
      /no embedded PostgreSQL for linux-mips here.*\n {4}HINT: set DATABASE_URL to a server of your own/,
    )
  })
})
