import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { system } from '../../../../seaworthy.config.ts'
import { describe as describeSystem, redisAccess } from '../description/index.ts'
import { compose } from './compose/compose.ts'
import { fluentBit } from './fluent-bit/fluent-bit.ts'
import { pm2 } from './pm2/pm2.ts'
import { prometheus } from './prometheus/prometheus.ts'
import { redis } from './redis/redis.ts'
import { systemd } from './systemd/systemd.ts'
import type { Target } from './target.ts'

const description = describeSystem(system, '1.0.0')
const textOf = (target: Target, path: string): string =>
  target.render(description).find((file) => file.path === `deploy/${path}`)?.text ?? ''
const valuesOf = (text: string, name: string): string[] =>
  [...text.matchAll(new RegExp(`^ *${name}[ =]+(.*)$`, 'gm'))].map(([, value = '']) => value)

describe('systemd', () => {
  it('gives a release time to finish, and what the table of sizes says', () => {
    const text = textOf(systemd, 'systemd/seaworthy@.service')
    expect(Number(valuesOf(text, 'TimeoutStopSec')[0])).toBeGreaterThan(description.shutdownSeconds)
    expect(valuesOf(text, 'MemoryMax')).toEqual(['3072M'])
    expect(valuesOf(text, 'ExecStart')[0]).toContain('exec /usr/bin/node packages/cli/dist/main.js start')
    expect(valuesOf(text, 'WorkingDirectory')).toEqual(['/srv/seaworthy/releases/%i'])
  })

  it('gives no unit a power, and the owner of the database to the one that prepares it', () => {
    for (const { text } of systemd.render(description)) {
      expect(valuesOf(text, 'NoNewPrivileges')).toEqual(['yes'])
      expect(valuesOf(text, 'ProtectSystem')).toEqual(['strict'])
      expect(text).toContain('\nCapabilityBoundingSet=\n')
    }
    expect(textOf(systemd, 'systemd/seaworthy@.service')).not.toContain('migrate.env')
    expect(textOf(systemd, 'systemd/seaworthy-migrate@.service')).toContain('migrate.env')
  })
})

describe('Redis', () => {
  it('forgets no limit when it is full, and keeps nothing on disk', () => {
    const settings = Object.fromEntries(description.redis.settings.map(({ name, value }) => [name, value]))
    expect(settings).toMatchObject({ 'maxmemory-policy': 'noeviction', save: '', appendonly: 'no' })
  })

  it('is the same on a host, on a machine of its own, in both compose files and in what Kubernetes is told', () => {
    const inKubernetes = readFileSync(new URL('../../../../docs/deploy/kubernetes.md', import.meta.url), 'utf8')
    const composed = ['docker-compose.yml', 'docker-compose.prod.yml'].map(
      (path) => (parse(textOf(compose, path)) as { services: { redis: { command: string[] } } }).services.redis.command,
    )
    for (const { name, value } of description.redis.settings) {
      for (const text of [textOf(redis, 'redis/host.conf'), textOf(redis, 'redis/tls.conf'), inKubernetes])
        expect(valuesOf(text, name)).toEqual([value || '""'])
      for (const command of composed) expect(command[command.indexOf(`--${name}`) + 1]).toBe(value)
    }
    for (const line of redisAccess(description.redis, description.redis.user, '$hash')) {
      expect(textOf(redis, 'redis/acl.sh')).toContain(line)
      expect(inKubernetes).toContain(line.replace('$hash', 'SHA256'))
    }
  })

  it('gives the service its own keys and its own commands, and nobody else anything', () => {
    const users = textOf(redis, 'redis/acl.sh')
    expect(users).toContain('user default off')
    expect(users).toContain('~seaworthy:rate:* resetchannels -@all +evalsha')
    expect(users).not.toMatch(/\+@|allkeys|allcommands|~\*/)
  })

  it('answers over TLS only, where it is not on the same host', () => {
    expect(valuesOf(textOf(redis, 'redis/tls.conf'), 'port')).toEqual(['0'])
    expect(valuesOf(textOf(redis, 'redis/host.conf'), 'bind')).toEqual(['127.0.0.1 -::1'])
  })
})

describe('what runs beside', () => {
  it('has PM2 keep one supervisor, which divides the port itself', () => {
    const text = textOf(pm2, 'pm2/ecosystem.config.cjs')
    expect(text).toContain('"exec_mode": "fork"')
    expect(text).toContain('"instances": 1')
    expect(text).toContain(`"WEB_PROCESSES": "${description.sizes.host.web.replicas}"`)
  })

  it('has Prometheus read the port for machines', () => {
    const { scrape_configs: jobs } = parse(textOf(prometheus, 'prometheus/host.yml')) as { scrape_configs: unknown[] }
    expect(jobs).toMatchObject([{ metrics_path: '/metrics', static_configs: [{ targets: ['127.0.0.1:3001'] }] }])
  })

  it('sends logs by TLS and keeps what could not be sent', () => {
    for (const { text } of fluentBit.render(description)) {
      expect(valuesOf(text, 'tls.verify')).toEqual(['On'])
      expect(valuesOf(text, 'storage.path')).toHaveLength(1)
    }
  })
})
