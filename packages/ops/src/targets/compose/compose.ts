import { Document, isMap, isScalar } from 'yaml'
import { rendered, type Target } from '../target.ts'
import { development } from './development.ts'
import { hostBasedAccess } from './neighbours.ts'
import { prepareScript } from './prepare.ts'
import { production } from './production.ts'

/** The same images, two ways: everything a machine needs to serve people, and everything a developer needs to try it. */
export const compose: Target = {
  name: 'compose',
  about: 'containers on one machine, for production and for development',
  render: (description) => [
    { path: 'deploy/docker-compose.prod.yml', text: withComments(production(description), productionComments) },
    { path: 'deploy/docker-compose.yml', text: withComments(development(description), developmentComments) },
    { path: 'deploy/postgres/pg_hba.conf', text: rendered() + hostBasedAccess },
    { path: 'deploy/prepare-compose.sh', text: prepareScript(description), executable: true },
  ],
}

const productionComments = {
  '': 'Once: sh deploy/prepare-compose.sh. Then: docker compose -f deploy/docker-compose.prod.yml up -d',
  'services.proxy':
    'The only one that people reach. TLS ends here; what it passes on is in clear, on a network of nobody but it and web (docs/deploy/tls.md).',
  'services.web': 'No port of the machine: three of them could not share it. nginx finds them by their name.',
  'services.web.environment.ADMIN_HOST': 'Metrics stay in the container: seaworthy health reads them there.',
  'services.web.environment.MIGRATIONS': 'It has no right to change tables, and waits for who has.',
  'services.migrate': 'Brings the database up to date and ends. Nobody else has the owner’s password.',
  'services.redis': 'Counts limits for all web processes.',
  networks: 'One for each pair that must talk: nobody shares a network with somebody it does not need.',
} as const

const developmentComments = {
  '': 'Once: sh deploy/prepare-compose.sh. Then: docker compose -f deploy/docker-compose.yml up --build, and http://localhost:8080',
} as const

/** YAML with each comment above the key of its path. */
function withComments(value: object, comments: Readonly<Record<string, string>>): string {
  const document = new Document(value, { aliasDuplicateObjects: false, compat: 'yaml-1.1' })
  for (const [path, comment] of Object.entries(comments)) {
    if (path) keyAt(document, path.split('.')).commentBefore = ` ${comment}`
  }
  return `${rendered()}# ${comments['']}\n\n${document.toString({ lineWidth: 0 })}`
}

function keyAt(document: Document, path: readonly string[]) {
  const parent = path.length > 1 ? document.getIn(path.slice(0, -1)) : document.contents
  const pair = isMap(parent) ? parent.items.find(({ key }) => isScalar(key) && key.value === path.at(-1)) : undefined
  if (!pair || !isScalar(pair.key)) throw new Error(`there is no ${path.join('.')} to comment on`)
  return pair.key
}
