import { type Description, type Edge, edgesOf } from '../../description/index.ts'
import { type Component, labelsOf, type Manifest, nameOf, selectorOf } from './manifest.ts'
import { type Overlay, overlayNames, overlays } from './settings.ts'

const components = ['web', 'worker', 'migrate'] as const satisfies readonly Component[]

const inNamespace = (name: string) => ({
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
})

/** Who calls from outside of the namespace: where the ingress controller and Prometheus usually are. */
const peers = {
  proxy: {
    ...inNamespace('ingress-nginx'),
    podSelector: { matchLabels: { 'app.kubernetes.io/name': 'ingress-nginx' } },
  },
  monitoring: inNamespace('monitoring'),
} as const

/** Nothing is allowed that another policy does not name. */
const denyAll = (description: Description): Manifest => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: nameOf(description, 'deny-all'), labels: labelsOf(description) },
  spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
})

/** Names are resolved before anything is reached. */
const allowNames = (description: Description): Manifest => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: nameOf(description, 'names'), labels: labelsOf(description) },
  spec: {
    podSelector: { matchLabels: selectorOf(description) },
    policyTypes: ['Egress'],
    egress: [
      {
        to: [inNamespace('kube-system')],
        ports: [
          { protocol: 'UDP', port: 53 },
          { protocol: 'TCP', port: 53 },
        ],
      },
    ],
  },
})

/** What every place allows. */
export const policiesOf = (description: Description): readonly Manifest[] => [
  denyAll(description),
  allowNames(description),
  ...components.flatMap((component) => policyOf(description, component, '', common(description))),
]

/** What a place allows besides: policies add up. */
export function policiesOfPlace(description: Description, overlay: Overlay): readonly Manifest[] {
  const known = new Set(common(description).map(keyOf))
  const others = edgesOf(description, overlays[overlay]).filter((edge) => !known.has(keyOf(edge)))
  return components.flatMap((component) => policyOf(description, component, '-outside', others))
}

const keyOf = ({ from, to, port }: Edge): string => `${from} ${to} ${port}`

function common(description: Description): readonly Edge[] {
  const [first = [], ...rest] = overlayNames.map((overlay) => edgesOf(description, overlays[overlay]))
  return first.filter((edge) => rest.every((edges) => edges.some((other) => keyOf(other) === keyOf(edge))))
}

function policyOf(
  description: Description,
  component: Component,
  ending: string,
  edges: readonly Edge[],
): readonly Manifest[] {
  const ingress = edges
    .filter(({ to }) => to === component)
    .map((edge) => ({ from: peerOf(description, edge.from), ...portOf(edge) }))
  const egress = edges
    .filter(({ from }) => from === component)
    .map((edge) => ({ ...toOf(description, edge.to), ...portOf(edge) }))
  if (!ingress.length && !egress.length) return []
  return [
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: nameOf(description, `${component}${ending}`), labels: labelsOf(description, component) },
      spec: {
        podSelector: { matchLabels: selectorOf(description, component) },
        policyTypes: [...(ingress.length ? ['Ingress'] : []), ...(egress.length ? ['Egress'] : [])],
        ...(ingress.length ? { ingress } : {}),
        ...(egress.length ? { egress } : {}),
      },
    },
  ]
}

const portOf = ({ port }: Edge): object => ({ ports: [{ protocol: 'TCP', port }] })

const isComponent = (name: string): name is Component => components.some((component) => component === name)

/** Throws where nobody knows who that is: an empty peer would be everybody. */
function peerOf(description: Description, name: string): readonly object[] {
  if (isComponent(name)) return [{ podSelector: { matchLabels: selectorOf(description, name) } }]
  if (name === 'proxy' || name === 'monitoring') return [peers[name]]
  throw new Error(`no pods are known to be ${name}`)
}

/** Database, Redis and what is outside are wherever they are: only the port is known here. */
const toOf = (description: Description, name: string): object =>
  isComponent(name) ? { to: peerOf(description, name) } : {}
