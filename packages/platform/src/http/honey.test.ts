import { describe, expect, it } from 'vitest'
import { signOfUnknown } from './honey.ts'

describe('addresses that do not exist', () => {
  it.each(['/wp-login.php', '/.env', '/.git/config', '/api/.env', '/phpmyadmin/', '/cgi-bin/test', '/a/b.php?x=1'])(
    'takes %s for a scanner',
    (url) => {
      expect(signOfUnknown(url)).toBe('honey')
    },
  )
  it.each(['/nowhere', '/api/cosnap/nothing', '/environment', '/wpx', '/photos.phpx'])(
    'takes %s for a mistake',
    (url) => {
      expect(signOfUnknown(url)).toBe('unknown_path')
    },
  )
  it.each(['/favicon.ico', '/robots.txt', '/.well-known/change-password', '/apple-touch-icon-120x120.png'])(
    'does not mind %s',
    (url) => {
      expect(signOfUnknown(url)).toBeUndefined()
    },
  )
})
