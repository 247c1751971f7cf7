import { describe, expect, it } from 'vitest'
import { explainTlsFailure, parseDatabaseUrl } from './database-url.ts'

const tlsOf = (host: string, query = ''): string =>
  parseDatabaseUrl(`postgresql://me:secret@${host}/shop${query}`).endpoint.tls

describe('the address of a database', () => {
  it.each(['127.0.0.1:5433', '127.3.2.1', 'localhost', '[::1]:5432'])('needs no TLS on loopback: %s', (host) => {
    expect(tlsOf(host)).toBe('off')
    expect(tlsOf(host, '?sslmode=verify-full')).toBe('verify')
  })

  it.each([
    'db',
    'db.example.com:5432',
    '10.0.0.7',
    '0.0.0.0',
    '[fd00::7]',
    'localhost.example.com',
    '127.evil.example',
  ])('is verified on any other host, whatever it asks for: %s', (host) => {
    for (const query of ['', '?sslmode=verify-full', '?sslmode=verify-ca', '?sslmode=require'])
      expect(tlsOf(host, query)).toBe('verify')
    for (const mode of ['disable', 'allow', 'prefer', 'no-verify', ''])
      expect(() => tlsOf(host, `?sslmode=${mode}`)).toThrow(/HINT: take sslmode out of DATABASE_URL/)
  })

  it('says where an authority of its own belongs, instead of leaving it unread', () => {
    expect(() => tlsOf('db', '?sslrootcert=/ca.pem')).toThrow(/HINT: export DB_CA_FILE=/)
    expect(parseDatabaseUrl('postgres://me@db', 'PEM').endpoint).toMatchObject({ ca: 'PEM', database: 'seaworthy' })
  })

  it('says what to do about a certificate, and nothing about other failures', () => {
    const { endpoint } = parseDatabaseUrl('postgresql://me@db/shop')
    const failure = Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
    expect(explainTlsFailure(failure, endpoint)).toMatch(/at db is not accepted.*\n {4}HINT: export DB_CA_FILE=/)
    expect(explainTlsFailure(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }), endpoint)).toBeUndefined()
  })
})
