import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Layout, layoutOf } from '../layout.ts'
import { envFileOf, settingsInside } from './settings.ts'

let layout: Layout
beforeEach(() => {
  layout = layoutOf(mkdtempSync(join(tmpdir(), 'settings-')))
  mkdirSync(layout.secrets, { recursive: true })
})
afterEach(() => rmSync(layout.root, { recursive: true, force: true }))

describe('what a container is given', () => {
  it('has what only containers get instead of what processes get, and nothing of whoever types the command', () => {
    writeFileSync(layout.environment, 'DATABASE_URL=postgresql://127.0.0.1/app\nPUBLIC_URL=https://boat.example.com\n')
    writeFileSync(layout.containerEnvironment, 'CONTAINER_NETWORK=other\nDATABASE_URL=postgresql://elsewhere/app\n')
    const { values } = settingsInside(layout, { release: 'image-1' })
    expect(values).toEqual({
      NODE_ENV: 'production',
      DATA_DIR: '/data',
      DATABASE_URL: 'postgresql://elsewhere/app',
      PUBLIC_URL: 'https://boat.example.com',
    })
  })

  it('sees a secret as a file, and other files where they are, without the right to change them', () => {
    writeFileSync(join(layout.secrets, 'ENCRYPTION_KEY'), 'secret')
    writeFileSync(layout.environment, 'DB_CA_FILE=/etc/ssl/ca.pem\n')
    const { values, mounts } = settingsInside(layout, { release: 'image-1' })
    expect(values).toMatchObject({ ENCRYPTION_KEY_FILE: '/run/secrets/ENCRYPTION_KEY', DB_CA_FILE: '/etc/ssl/ca.pem' })
    expect(mounts).toEqual([
      { from: layout.data, to: '/data', mayWrite: true },
      { from: join(layout.secrets, 'ENCRYPTION_KEY'), to: '/run/secrets/ENCRYPTION_KEY', mayWrite: false },
      { from: '/etc/ssl/ca.pem', to: '/etc/ssl/ca.pem', mayWrite: false },
    ])
  })

  it('gets the owner’s address of the database for a migration only', () => {
    writeFileSync(layout.ownerEnvironment, 'DATABASE_URL=postgresql://owner@elsewhere/app\n')
    expect(settingsInside(layout, { release: 'image-1' }).values.DATABASE_URL).toBeUndefined()
    expect(settingsInside(layout, { release: 'image-1', isOwner: true }).values.DATABASE_URL).toContain('owner')
  })

  it('refuses a value of several lines: a file of settings would read the rest as settings', () => {
    expect(() => envFileOf({ SMTP_URL: 'one\nADMIN=1' })).toThrow(/SMTP_URL has more than one line/)
  })
})
