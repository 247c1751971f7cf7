import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { beforeEach, describe, expect, it } from 'vitest'
import { ConfigError, type ConfigFault, lookAtConfig, readConfig } from './config.ts'
import { forgetKeptDatabase, keepDatabase } from './kept-database.ts'
import { renderEnvExample } from './reference.ts'
import { settings } from './settings.ts'

describe('config', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'config-'))
    return () => rmSync(directory, { recursive: true })
  })

  function faultsOf(environment: Record<string, string>): readonly ConfigFault[] {
    try {
      readConfig(directory, environment)
    } catch (error) {
      if (error instanceof ConfigError) return error.faults
      throw error
    }
    return []
  }

  it('starts from nothing, with secrets of its own that only their owner can read', () => {
    const config = readConfig(directory, {})
    const file = join(directory, '.seaworthy', 'secrets', 'JWT_ACCESS_SECRET')
    expect(readFileSync(file, 'utf8').trim()).toBe(config.secrets.accessSecret.reveal())
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readConfig(directory, {}).secrets.accessSecret.reveal()).toBe(config.secrets.accessSecret.reveal())
  })

  it('uses the address that the database was moved to, where no setting says another, and refuses one that others can read', () => {
    const data = join(directory, '.seaworthy')
    keepDatabase(data, 'postgresql://user:pass1234@127.0.0.1:5432/there', undefined)
    const moved = readConfig(directory, {})
    expect([moved.databaseUrl?.reveal(), moved.isDatabaseKept]).toEqual([
      'postgresql://user:pass1234@127.0.0.1:5432/there',
      true,
    ])
    const told = readConfig(directory, { DATABASE_URL: 'postgresql://user:pass1234@127.0.0.1:5432/other' })
    expect([told.databaseUrl?.reveal(), told.isDatabaseKept]).toEqual([
      'postgresql://user:pass1234@127.0.0.1:5432/other',
      false,
    ])
    chmodSync(join(data, 'secrets', 'DATABASE_URL'), 0o644)
    expect(faultsOf({})).toMatchObject([
      { setting: 'DATABASE_URL', problem: expect.stringContaining('others can read') },
    ])
    forgetKeptDatabase(data)
    expect(readConfig(directory, {}).databaseUrl).toBeUndefined()
  })

  it('is looked at without making a secret, and says which are missing', () => {
    const seen = lookAtConfig(directory, {})
    expect(seen.missing).toContain('ENCRYPTION_KEY')
    expect(seen.config?.port).toBe(3000)
    expect(existsSync(join(directory, '.seaworthy'))).toBe(false)
    readConfig(directory, {})
    expect(lookAtConfig(directory, {}).missing).toEqual([])
    expect(lookAtConfig(directory, { PORT: 'many' })).toMatchObject({
      config: undefined,
      faults: [{ setting: 'PORT' }],
    })
  })

  it('follows NAME_FILE also in an environment that is given', () => {
    const file = join(directory, 'url')
    writeFileSync(file, 'postgresql://owner:0123456789@db.test/app\n')
    expect(lookAtConfig(directory, { DATABASE_URL_FILE: file }).config?.databaseUrl?.reveal()).toMatch(/db\.test/)
  })

  it('needs a mail server to notify anybody by mail', () => {
    expect(faultsOf({ NOTIFY_EMAIL: 'ops@app.test' })).toMatchObject([{ setting: 'SMTP_URL' }])
  })

  it('makes a secret although a start with the same process id was killed while it did', () => {
    const secrets = join(directory, '.seaworthy', 'secrets')
    mkdirSync(secrets, { recursive: true, mode: 0o700 })
    writeFileSync(join(secrets, `JWT_ACCESS_SECRET.${process.pid}.draft`), 'a half')
    expect(readConfig(directory, {}).secrets.accessSecret.reveal()).toMatch(/^[0-9a-f]{64}$/)
  })

  it.each([
    [{ WEB_PROCESSES: '0', WORKER_PROCESSES: '0' }, 'WEB_PROCESSES'],
    [{ MIGRATIONS: 'wait' }, 'MIGRATIONS'],
    [{ SOCKET: '/run/web.sock' }, 'SOCKET'],
    [{ SOCKET: `/${'a'.repeat(96)}`, TRUSTED_PROXIES: '1' }, 'SOCKET'],
    [{ TLS_CERT_FILE: '/tls.crt' }, 'TLS_KEY_FILE'],
    [{ TLS_KEY_FILE: '/tls.key' }, 'TLS_CERT_FILE'],
    [{ TLS_CERT_FILE: '/tls.crt', TLS_KEY_FILE: '/tls.key', PUBLIC_URL: 'http://a.example' }, 'PUBLIC_URL'],
  ])('refuses %j, which cannot be meant', (environment, setting) => {
    expect(faultsOf(environment as Record<string, string>).map((fault) => fault.setting)).toEqual([setting])
  })

  it('names every fault at once, each with the command that mends it', () => {
    const faults = faultsOf({
      PORT: 'many',
      JWT_ACCESS_EXPIRY: 'soon',
      DB_POOL_MAX: '0',
      JWT_REFRESH_SECRET: 'short',
      ALLOWED_ORIGINS: 'https://a.example/path',
    })
    expect(faults.map((fault) => fault.setting).sort()).toEqual([
      'ALLOWED_ORIGINS',
      'DB_POOL_MAX',
      'JWT_ACCESS_EXPIRY',
      'JWT_REFRESH_SECRET',
      'PORT',
    ])
    for (const fault of faults) expect(fault.mend).toMatch(/^(export|unset) /)
  })

  it.each(Object.values(settings).filter(({ type }) => type !== 'text'))('refuses nonsense in $env', (setting) => {
    expect(faultsOf({ [setting.env]: '\u0001 nonsense' }).map((fault) => fault.setting)).toContain(setting.env)
  })

  it.each([
    'your-very-secure-access-token-secret-at-least-32-characters',
    'changeme-changeme-changeme-changeme-1234',
    'a'.repeat(64),
  ])('refuses the placeholder %s in production', (value) => {
    expect(faultsOf({ NODE_ENV: 'production', JWT_ACCESS_SECRET: value }).map((fault) => fault.setting)).toEqual([
      'JWT_ACCESS_SECRET',
    ])
  })

  it.each([
    ['DATABASE_URL', 'postgresql://me:password@db:5432/x'],
    ['DATABASE_URL', 'postgresql://user:pass@host:5432/db'],
    ['PUBLIC_URL', 'https://your-domain.com'],
    ['ALLOWED_ORIGINS', 'https://a.example,https://your-custom-domain.com'],
    ['MEDIA_URL_SECRET', '<generate-with-node-crypto-randomBytes-32-hex>'],
  ])('refuses what documents print for %s in production: %s', (setting, value) => {
    expect(faultsOf({ NODE_ENV: 'production', [setting]: value }).map((found) => found.setting)).toEqual([setting])
    expect(faultsOf({ NODE_ENV: 'production', DATABASE_URL: 'postgresql://me:hunter2hunter2@db/x' })).toEqual([])
  })

  it('sends the password of Redis in clear to nobody but this machine', () => {
    for (const here of [
      'redis://:hunter2hunter2@127.0.0.1:6379',
      'redis://localhost',
      'rediss://:hunter2hunter2@cache.test',
    ])
      expect(faultsOf({ REDIS_URL: here }), here).toEqual([])
    for (const there of ['redis://:hunter2hunter2@cache.test:6379', 'redis://10.0.0.7', 'redis://127.0.0.1.cache.test'])
      expect(faultsOf({ REDIS_URL: there })[0]?.problem, there).toContain('rediss://')
  })

  it('refuses times that contradict each other', () => {
    expect(faultsOf({ DB_QUERY_TIMEOUT: '40s' }).map((fault) => fault.setting)).toEqual(['DB_TRANSACTION_TIMEOUT'])
    expect(faultsOf({ S3_ENDPOINT: 'https://s3.example.com' })).toHaveLength(3)
    expect(faultsOf({ BACKUP_STORES: '/mnt/one,s3://backups/boats' }).map(({ setting }) => setting)).toEqual([
      'BACKUP_S3_ENDPOINT',
      'BACKUP_S3_ACCESS_KEY_ID',
      'BACKUP_S3_SECRET_ACCESS_KEY',
    ])
  })

  it.each([
    'tcp://scanner:3310',
    'tcp://127.0.0.1',
    'tcp://[::1]:3310',
    'unix:/run/clamav/clamd.ctl',
    'unix:///run/c.sock',
  ])('takes %s for a virus scanner', (url) => {
    expect(readConfig(directory, { CLAMD_URL: url }).clamdUrl).toBe(url)
  })

  it.each(['127.0.0.1:3310', 'http://scanner:3310', 'tcp://scanner:99999', 'tcp://scanner/path', 'unix:run/clamd.ctl'])(
    'does not take %s for a virus scanner',
    (url) => {
      expect(faultsOf({ CLAMD_URL: url }).map((fault) => fault.setting)).toEqual(['CLAMD_URL'])
    },
  )

  it('has no switch that turns a protection off, and says so to whoever looks for one', () => {
    expect(faultsOf({ CSP_ENABLED: 'false', RATE_LIMIT_ENABLED: '0' }).map((found) => found.setting)).toEqual([
      'CSP_ENABLED',
      'RATE_LIMIT_ENABLED',
    ])
    expect(faultsOf({ CSP_ENABLED: 'true' })).toEqual([])
  })

  it('reads the names of the documents', () => {
    const config = readConfig(directory, {
      JWT_ACCESS_EXPIRY: '10m',
      JWT_REFRESH_EXPIRY: '14d',
      RATE_LIMIT_WINDOW: '900000',
      DB_QUERY_TIMEOUT: '10000',
      MAX_REQUEST_SIZE: '10mb',
      ALI_OSS_ENDPOINT: 'https://oss.example.com',
      ALI_OSS_BUCKET: 'b',
      ALI_OSS_ACCESS_KEY_ID: 'id',
      ALI_OSS_ACCESS_KEY_SECRET: 'key',
    })
    expect(config).toMatchObject({
      accessMs: 600_000,
      refreshMs: 1_209_600_000,
      rateWindowMs: 900_000,
      databaseQueryMs: 10_000,
      jsonBytesMax: 10_485_760,
      s3Endpoint: 'https://oss.example.com',
    })
  })

  it('reads a mounted secret by NAME_FILE, and says so when it cannot', () => {
    const file = join(directory, 'mounted')
    writeFileSync(file, '0123456789abcdef0123456789abcdef-mounted\n')
    process.env.JWT_ACCESS_SECRET_FILE = file
    try {
      expect(readConfig(directory).secrets.accessSecret.reveal()).toBe('0123456789abcdef0123456789abcdef-mounted')
      process.env.JWT_ACCESS_SECRET_FILE = '/nowhere'
      expect(() => readConfig(directory)).toThrow(/JWT_ACCESS_SECRET_FILE names a file that cannot be read/)
    } finally {
      delete process.env.JWT_ACCESS_SECRET_FILE
    }
  })

  it('shows no secret to inspection or JSON', () => {
    const config = readConfig(directory, { DATABASE_URL: 'postgresql://me:hunter2hunter2@db/x' })
    expect(inspect(config, { depth: 5 }) + JSON.stringify(config)).not.toMatch(
      new RegExp(`hunter2|${config.secrets.accessSecret.reveal()}`),
    )
  })

  it('describes every setting in the example file', () => {
    for (const setting of Object.values(settings)) expect(renderEnvExample()).toContain(`#${setting.env}=`)
  })
})
