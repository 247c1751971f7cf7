import { type Description, sumOf } from '../../description/index.ts'
import { rendered, type Target } from '../target.ts'
import { hardening } from './hardening.ts'

/** Units of one host: a release, started by a deploy as `<name>@<release>`, and the preparation of its database. */
export const systemd: Target = {
  name: 'systemd',
  about: 'hardened units of one host, an instance for each release',
  render: (description) => [
    { path: `deploy/systemd/${description.name}@.service`, text: unit(serving(description)) },
    { path: `deploy/systemd/${description.name}-migrate@.service`, text: unit(preparing(description)) },
  ],
}

type Section = readonly (string | readonly [name: string, value: string | number])[]
type Unit = Readonly<Record<'Unit' | 'Service' | 'Install', Section>>

/** Behind what the service takes itself to finish. */
const STOP_MARGIN_SECONDS = 15

const serving = (description: Description): Unit => ({
  Unit: [
    ['Description', `${description.title}, release %i`],
    ['Documentation', description.source],
    ['Wants', 'network-online.target'],
    ['After', 'network-online.target postgresql.service redis-server.service'],
    ['StartLimitIntervalSec', 60],
    ['StartLimitBurst', 5],
  ],
  Service: [
    ...common(description, 'start'),
    ['Type', 'exec'],
    '# The supervisor stops its processes in order; only who is left is killed.',
    ['KillMode', 'mixed'],
    ['TimeoutStopSec', description.shutdownSeconds + STOP_MARGIN_SECONDS],
    ['Restart', 'on-failure'],
    ['RestartSec', '500ms'],
    ...sizes(description),
  ],
  Install: [['WantedBy', 'multi-user.target']],
})

const preparing = (description: Description): Unit => ({
  Unit: [
    ['Description', `${description.title}: prepare the database for release %i`],
    ['Documentation', description.source],
    ['Wants', 'network-online.target'],
    ['After', 'network-online.target postgresql.service'],
  ],
  Service: [
    ...common(description, 'migrate'),
    '# The owner of the tables, whom no release that serves knows.',
    ['EnvironmentFile', `-${sharedOf(description)}/migrate.env`],
    ['Type', 'oneshot'],
    ['TimeoutStartSec', '30min'],
  ],
  Install: [],
})

const rootOf = ({ name }: Description): string => `/srv/${name}`
const sharedOf = (description: Description): string => `${rootOf(description)}/shared`

/** A file below `secrets` is the setting of that name; `%i` is the release. */
function common(description: Description, command: string): Section {
  const { name } = description
  const [root, shared] = [rootOf(description), sharedOf(description)]
  const secrets = `for file in ${shared}/secrets/[A-Z]*; do [ ! -f "$$file" ] || export "$\${file##*/}_FILE=$$file"; done`
  return [
    ['User', name],
    ['Group', name],
    ['WorkingDirectory', `${root}/releases/%i`],
    ['Environment', `NODE_ENV=production DATA_DIR=${shared}/data`],
    ['EnvironmentFile', `-${shared}/env`],
    ['EnvironmentFile', `-${root}/run/%i.env`],
    ['ExecStart', `/bin/sh -ec '${secrets}; exec /usr/bin/node packages/cli/dist/main.js ${command}'`],
    ['StateDirectory', name],
    ['StateDirectoryMode', '0700'],
    ['ReadWritePaths', `-${shared}/data -${root}/run`],
    ['SyslogIdentifier', name],
    ...hardening,
  ]
}

function sizes({ sizes: { host } }: Description): Section {
  const { memoryMiB, pids, openFiles } = sumOf(host)
  return [
    ['MemoryMax', `${memoryMiB}M`],
    ['TasksMax', pids],
    ['LimitNOFILE', openFiles],
  ]
}

const unit = (sections: Unit): string =>
  `${rendered()}${Object.entries(sections)
    .filter(([, section]) => section.length > 0)
    .map(([head, section]) => `[${head}]\n${section.map(lineOf).join('\n')}\n`)
    .join('\n')}`

const lineOf = (line: Section[number]): string => (typeof line === 'string' ? line : `${line[0]}=${line[1]}`)
