import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { atLeast, defineClaim, exactly } from '../../claim.ts'
import { brokenReferences } from '../../rig/manifest-references.ts'
import { schemaFaults } from '../../rig/manifest-schema.ts'
import { contradictionsIn } from '../../rig/manifest-sense.ts'
import { buildOverlays, overlays } from '../../rig/manifests.ts'
import { judgePods } from '../../rig/pod-rules.ts'
import { readSettings } from '../../rig/settings.ts'
import { patch } from '../../sabotage.ts'

const example = join(import.meta.dirname, '..', '..', '..', '..', '..', '.env.example')
const target = 'packages/ops/src/targets/kubernetes'

export const claim = defineClaim({
  id: 'CON-04',
  says: 'kubectl builds all three Kubernetes overlays; every field is one that Kubernetes knows, pods keep the restricted profile, and names, labels, ports, settings and numbers of pods agree',
  answers: ['X3', 'X4', 'X14', 'R9 (limits in every manifest)', 'H13 (TLS at the Ingress)'],
  witness: 'kubectl kustomize, the schemas of kubernetes-models, the rules of Monokle',
  needs: ['kubectl', 'kubernetes-models', 'monokle'],
  tier: 'full',
  seconds: 15,
  limits: {
    'complaints of kubectl': exactly(0, 'lines'),
    'faults by the schemas': exactly(0, 'faults'),
    'faults by the rules for pods': exactly(0, 'faults'),
    'references that lead nowhere': exactly(0, 'references'),
    contradictions: exactly(0, 'contradictions'),
    objects: atLeast(50, 'objects'),
  },
  experiment: async (rig) => {
    const settings = new Set(readSettings(readFileSync(example, 'utf8')).map(({ name }) => name))
    const { manifests, complaints } = await buildOverlays(rig)
    const all = overlays.flatMap((overlay) => manifests[overlay])
    const named = (faults: readonly string[], overlay: string): readonly string[] =>
      faults.map((fault) => `${overlay}: ${fault}`)
    const each = (judge: (of: (typeof manifests)['staging']) => readonly string[]): readonly string[] =>
      overlays.flatMap((overlay) => named(judge(manifests[overlay]), overlay))
    const byRules = await Promise.all(overlays.map((overlay) => judgePods(rig, manifests[overlay])))
    const pods = byRules.flatMap(({ faults }, i) => named(faults, overlays[i] ?? ''))
    const schema = each((of) => schemaFaults(rig, of))
    const references = each(brokenReferences)
    const contradictions = each((of) => contradictionsIn(of, settings))
    const kinds = new Set(manifests.production.map(({ kind }) => kind))
    return {
      measured: {
        'complaints of kubectl': complaints.length,
        'faults by the schemas': schema.length,
        'faults by the rules for pods': pods.length,
        'references that lead nowhere': references.length,
        contradictions: contradictions.length,
        objects: all.length,
      },
      met: {
        'every kind is there': [
          'Namespace',
          'ConfigMap',
          'Deployment',
          'Service',
          'Ingress',
          'NetworkPolicy',
          'Job',
          'ServiceAccount',
          'PodDisruptionBudget',
          'HorizontalPodAutoscaler',
        ].every((kind) => kinds.has(kind)),
        'files of people have a volume where there is no other storage': manifests.development.some(
          ({ kind }) => kind === 'PersistentVolumeClaim',
        ),
        'all rules were asked': byRules.every(({ rules }) => rules >= 35),
        'the settings of the product were read': settings.size > 40,
      },
      evidence: [...complaints, ...schema, ...pods, ...references, ...contradictions].slice(0, 20),
    }
  },
  sabotages: [
    patch('a letter is missing in the name of a probe', `${target}/pods.ts`, 'livenessProbe:', 'livenesProbe:'),
    patch(
      'a number of pods is a word',
      `${target}/overlays.ts`,
      'replicas: sizes[component].replicas',
      "replicas: 'two'",
    ),
    patch(
      'the Service looks for pods that are called otherwise',
      `${target}/doors.ts`,
      "selector: selectorOf(description, 'web')",
      "selector: { ...selectorOf(description), 'app.kubernetes.io/component': 'server' }",
    ),
    patch(
      'the budget keeps every pod',
      `${target}/growth.ts`,
      'minAvailable: leastReplicas - 1',
      'minAvailable: leastReplicas',
    ),
    patch('pods may become root', `${target}/pods.ts`, 'const USER = container.user', 'const USER = 0'),
    patch(
      'what a pod writes goes into its image',
      `${target}/pods.ts`,
      'readOnlyRootFilesystem: true',
      'readOnlyRootFilesystem: false',
    ),
    patch(
      'web pods have a fixed number beside the autoscaler',
      `${target}/overlays.ts`,
      "component === 'web' && isScaled(overlay) ? {}",
      "component === 'web' && isScaled(overlay) ? { replicas: 3 }",
    ),
    patch(
      'a pod is killed before its requests are answered',
      `${target}/pods.ts`,
      'description.shutdownSeconds + SPARE_SECONDS',
      'SPARE_SECONDS',
    ),
    patch(
      'web pods have the login of the owner of the tables',
      `${target}/pods.ts`,
      "      ...(isServed\n        ? []\n        : [{ name: 'owner'",
      "      ...(isServed && component !== 'web'\n        ? []\n        : [{ name: 'owner'",
    ),
  ],
})
