import { type Description, hostOf } from '../../description/index.ts'
import { labelsOf, type Manifest, nameOf, selectorOf } from './manifest.ts'
import { type Overlay, overlays } from './settings.ts'

/** The web pods under one name, inside the cluster only. */
export const serviceOf = (description: Description): Manifest => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: nameOf(description, 'web'), labels: labelsOf(description, 'web') },
  spec: {
    type: 'ClusterIP',
    selector: selectorOf(description, 'web'),
    ports: [{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' }],
  },
})

/**
 * Two, since a size is a thing of a whole Ingress: everything takes a JSON body at most, and the routes that take files
 * take theirs, unbuffered. Both must agree with what the service itself allows.
 */
export function ingressesOf(description: Description): readonly Manifest[] {
  const { http } = description
  const largest = Math.max(...http.uploads.map(({ maxBytes }) => maxBytes)) + http.formBytes
  return doorsOf(description).map(({ name }) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      name,
      labels: labelsOf(description, 'web'),
      annotations: {
        ...common(description),
        ...annotate(
          name === nameOf(description, 'uploads')
            ? { 'proxy-body-size': String(largest), 'proxy-request-buffering': 'off' }
            : { 'proxy-body-size': String(http.jsonBytes) },
        ),
      },
    },
    spec: ingressSpec(description, 'production', name),
  }))
}

/** The other host of a place; the base has that of production. */
export const ingressPatches = (description: Description, overlay: Overlay): readonly Manifest[] =>
  (overlay === 'production' ? [] : doorsOf(description)).map(({ name }) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name },
    spec: ingressSpec(description, overlay, name),
  }))

/** Paths end where an address begins to vary; a prefix matches whole parts of it. */
function doorsOf(description: Description) {
  const uploads = description.http.uploads.map(({ address }) => address.replace(/\/\{.*$/, ''))
  return [
    { name: nameOf(description, 'web'), paths: ['/'] },
    { name: nameOf(description, 'uploads'), paths: [...new Set(uploads)] },
  ]
}

function ingressSpec(description: Description, overlay: Overlay, name: string): object {
  const host = hostOf(overlays[overlay], description.host)
  const service = { name: nameOf(description, 'web'), port: { name: 'http' } }
  const paths = doorsOf(description).find((door) => door.name === name)?.paths ?? []
  return {
    ingressClassName: 'nginx',
    tls: [{ hosts: [host], secretName: nameOf(description, 'tls') }],
    rules: [{ host, http: { paths: paths.map((path) => ({ path, pathType: 'Prefix', backend: { service } })) } }],
  }
}

/**
 * A body may arrive for as long as the service lets it. Sockets stay open, since they are asked for a sign of life every
 * half minute. The cookie brings a browser back to the pod that holds the first parts of its upload.
 */
const common = ({ name, http }: Description) =>
  annotate({
    'force-ssl-redirect': 'true',
    'proxy-connect-timeout': '5',
    'proxy-read-timeout': String(http.requestSeconds),
    'proxy-send-timeout': String(http.requestSeconds),
    'proxy-http-version': '1.1',
    'proxy-next-upstream': 'error timeout',
    'proxy-next-upstream-tries': '2',
    affinity: 'cookie',
    'affinity-mode': 'balanced',
    'session-cookie-name': `${name}-pod`,
    'session-cookie-samesite': 'Lax',
    'session-cookie-secure': 'true',
  })

const annotate = (values: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [`nginx.ingress.kubernetes.io/${key}`, value]))
