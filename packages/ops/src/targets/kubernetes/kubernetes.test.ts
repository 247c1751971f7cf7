import { describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { system } from '../../../../../seaworthy.config.ts'
import { describe as describeSystem, edgesOf, fromSecret, valuesOf } from '../../description/index.ts'
import { kubernetes } from './kubernetes.ts'

interface Rule {
  readonly ports: readonly { readonly port: number }[]
}

interface Found {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> }
  readonly data?: Readonly<Record<string, string>>
  readonly spec?: {
    readonly replicas?: number
    readonly minAvailable?: number
    readonly podSelector?: { readonly matchLabels?: Readonly<Record<string, string>> }
    readonly ingress?: readonly Rule[]
    readonly egress?: readonly Rule[]
  }
}

const componentOf = ({ spec }: Found): string | undefined =>
  spec?.podSelector?.matchLabels?.['app.kubernetes.io/component']

const description = describeSystem(system, '1.2.0-rc.1')
const files = new Map(kubernetes.render(description).map(({ path, text }) => [path.replace('deploy/k8s/', ''), text]))
const read = (path: string): readonly Found[] =>
  parseAllDocuments(files.get(path) ?? '', { version: '1.1' }).map((document) => document.toJS() as Found)
const one = (path: string, kind: string, name: string): Found => {
  const found = read(path).find((object) => object.kind === kind && object.metadata.name === name)
  if (!found) throw new Error(`${path} has no ${kind} ${name}`)
  return found
}

describe('files for Kubernetes', () => {
  it.each(['development', 'staging', 'production'] as const)(
    'give pods of %s every setting of the table',
    (overlay) => {
      for (const role of ['web', 'worker', 'migrate'] as const) {
        const data = {
          ...one('base/settings.yaml', 'ConfigMap', `seaworthy-${role}`).data,
          ...one(`overlays/${overlay}/settings.patch.yaml`, 'ConfigMap', `seaworthy-${role}`).data,
        }
        const wanted = valuesOf(description, `kubernetes-${overlay}`, role).flatMap(([name, value]) =>
          value === fromSecret || value === '' ? [] : [[name, value]],
        )
        expect(data).toMatchObject(Object.fromEntries(wanted))
        expect(data.ADMIN_HOST).toBe('0.0.0.0')
        if (role !== 'migrate') expect(data.MIGRATIONS).toBe('wait')
        // Who signed the certificate of the database is believed about Redis too, which knows no setting of its own.
        expect(data.NODE_EXTRA_CA_CERTS).toBe(data.DB_CA_FILE)
      }
    },
  )

  it('hold no secret, and give the login of the owner to the migration only', () => {
    for (const text of files.values()) expect(text).not.toMatch(/^kind: Secret$/m)
    expect(files.get('base/migration.yaml')).toContain('secretName: seaworthy-owner')
    for (const file of ['base/web.yaml', 'base/worker.yaml']) expect(files.get(file)).not.toContain('owner')
  })

  it('name the migration after the version, so that each version has one', () => {
    one('base/migration.yaml', 'Job', 'seaworthy-migrate-1-2-0-rc-1')
    one('overlays/production/workloads.patch.yaml', 'Job', 'seaworthy-migrate-1-2-0-rc-1')
  })

  it('take the sizes of bodies from the routes', () => {
    const annotation = (name: string): string | undefined =>
      one('base/doors.yaml', 'Ingress', name).metadata.annotations?.['nginx.ingress.kubernetes.io/proxy-body-size']
    expect(annotation('seaworthy-web')).toBe(String(1_048_576))
    expect(annotation('seaworthy-uploads')).toBe(String(30 * 1_048_576 + description.http.formBytes))
    expect(files.get('base/doors.yaml')).toContain('path: /api/cosnap/photos')
  })

  it('allow exactly the edges of each place', () => {
    for (const overlay of ['development', 'staging', 'production'] as const) {
      const policies = [...read('base/network.yaml'), ...read(`overlays/${overlay}/network.yaml`)]
      const allowed = policies
        .filter((policy) => componentOf(policy))
        .flatMap((policy) =>
          [...(policy.spec?.ingress ?? []), ...(policy.spec?.egress ?? [])].flatMap((rule) =>
            rule.ports.map(({ port }) => `${componentOf(policy)} ${port}`),
          ),
        )
      const edges = edgesOf(description, `kubernetes-${overlay}`)
      const wanted = edges
        .filter(({ to }) => to !== 'proxy')
        .map(({ from, to, port }) => `${to === 'web' || to === 'worker' ? to : from} ${port}`)
      expect(allowed.sort()).toEqual(wanted.sort())
    }
  })

  it('leave the number of web pods to the autoscaler where there is one, and say it elsewhere', () => {
    const replicas = (overlay: string) =>
      one(`overlays/${overlay}/workloads.patch.yaml`, 'Deployment', 'seaworthy-web').spec?.replicas
    expect([replicas('development'), replicas('staging'), replicas('production')]).toEqual([1, 2, undefined])
    expect(one('overlays/production/disruptions.yaml', 'PodDisruptionBudget', 'seaworthy-web').spec?.minAvailable).toBe(
      2,
    )
  })

  it('start pods again when a setting has changed', () => {
    const mark = (host: string): string | undefined => {
      const changed = { ...description, host }
      const text = kubernetes.render(changed).find(({ path }) => path.endsWith('production/workloads.patch.yaml'))?.text
      return /checksum\/settings: (.*)/.exec(text ?? '')?.[1]
    }
    expect(mark('app.example.com')).toBe(mark('app.example.com'))
    expect(mark('app.example.com')).not.toBe(mark('other.example.com'))
  })
})
