import { lookup } from 'node:dns/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { runbookNames } from '@seaworthy/core'
import { bad, good } from '../doctor/finding.ts'
import { examine } from '../doctor/index.ts'
import type { Item } from './item.ts'

/** Before a release meets people. */
export const before: readonly Item[] = [
  {
    kind: 'human',
    name: 'code-review',
    title: 'somebody else than the author has read this release',
    validDays: 30,
    covers: 'release',
  },
  { kind: 'run', name: 'tests', title: 'all tests pass', command: ['npm', 'test'], validDays: 7 },
  {
    kind: 'run',
    name: 'proofs',
    title: 'no claim is refuted, and none of the fast ones is left out',
    command: ['seaworthy', 'prove', '--fast', '--strict'],
    validDays: 7,
  },
  {
    kind: 'run',
    name: 'security-audit',
    title: 'no known weakness in packages',
    command: ['npm', 'run', '-s', 'audit'],
    validDays: 7,
  },
  {
    kind: 'run',
    name: 'licences',
    title: 'licences and hashes of packages',
    command: ['npm', 'run', '-s', 'packages'],
    validDays: 7,
  },
  {
    kind: 'run',
    name: 'performance',
    title: 'answers are fast enough, and none fails',
    command: ['seaworthy', 'prove', 'CAP-01', 'CAP-02', '--strict'],
    validDays: 7,
  },
  {
    kind: 'run',
    name: 'images',
    title: 'the image is built, small and without privileges',
    command: ['seaworthy', 'prove', 'CON-01', 'CON-02', '--strict'],
    validDays: 7,
    unless: ({ host }) => (host ? 'this host runs processes, no images' : undefined),
  },
  {
    kind: 'run',
    name: 'manifests',
    title: 'manifests and workflows are valid',
    command: ['seaworthy', 'prove', 'CON-04', 'CON-10', '--strict'],
    validDays: 30,
  },
  { kind: 'check', name: 'environment', title: 'settings are complete', check: 'settings' },
  {
    kind: 'judge',
    name: 'migrations',
    title: 'the history of the database is one that this release knows',
    look: async (here) => {
      const pending = await here.pendingMigrations()
      return good(pending.length ? `${pending.length} migrations will be applied` : 'nothing to apply')
    },
  },
  { kind: 'check', name: 'certificates', title: 'the certificate is good for a while', check: 'certificate' },
  {
    kind: 'judge',
    name: 'dns',
    title: 'the public name leads somewhere',
    look: async ({ config }) => {
      const host = new URL(config?.publicUrl ?? 'http://localhost').hostname.replace(/^\[|\]$/g, '')
      const found = await lookup(host).catch(() => undefined)
      return found
        ? good(`${host} is ${found.address}`)
        : bad(`${host} is no name that is known`, 'add it to the DNS zone')
    },
  },
  { kind: 'check', name: 'secrets', title: 'every secret is in its place', check: 'secrets' },
  { kind: 'check', name: 'rights-of-files', title: 'nobody else reads them', check: 'files' },
  { kind: 'check', name: 'key-ring', title: 'the keys are those of the database', check: 'keys' },
  { kind: 'check', name: 'recovery-kit', title: 'the keys are in a kit that was read back', check: 'kit' },
  {
    kind: 'judge',
    name: 'monitoring',
    title: 'metrics are collected and shown',
    look: ({ directory }) =>
      existsSync(join(directory, 'deploy', 'grafana'))
        ? good('dashboards are in deploy/grafana')
        : bad(
            'not there yet: metrics are served and the configuration of Prometheus is rendered, dashboards are not',
            'watch seaworthy doctor meanwhile',
          ),
  },
  {
    kind: 'judge',
    name: 'alerting',
    title: 'somebody is told',
    look: ({ directory }) =>
      existsSync(join(directory, 'deploy', 'prometheus', 'rules'))
        ? good('rules are in deploy/prometheus/rules')
        : bad(
            'not there yet: alarms are lines of the log, each with its runbook, and nobody is called',
            'send error lines of the log collector to people',
          ),
  },
  { kind: 'check', name: 'backup', title: 'the newest recovery point was read back', check: 'recovery' },
  {
    kind: 'judge',
    name: 'runbooks',
    title: 'each alarm has a runbook',
    look: () => good(`${runbookNames.length} runbooks: seaworthy runbook`),
  },
  {
    kind: 'judge',
    name: 'doctor',
    title: 'nothing here is bad',
    look: async (here) => {
      const faults = (await examine(here)).filter(({ verdict }) => verdict === 'bad')
      return faults.length
        ? bad(faults.map(({ title }) => title).join(', '), 'seaworthy doctor')
        : good('nothing is bad')
    },
  },
  { kind: 'human', name: 'team', title: 'those on duty have followed a runbook', validDays: 180, covers: 'time' },
  {
    kind: 'human',
    name: 'approval',
    title: 'this release may be deployed, as it was seen here',
    validDays: 1,
    covers: 'verdicts',
  },
]
