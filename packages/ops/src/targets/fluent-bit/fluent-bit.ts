import type { Description } from '../../description/index.ts'
import { type Artefact, rendered, type Target } from '../target.ts'

/** Carries log lines, which are JSON already and hold no secrets and no whole addresses, to where they are kept. */
export const fluentBit: Target = {
  name: 'fluent-bit',
  about: 'logs of one host or of containers to a store of logs',
  notRunHere: 'Debian has no package of Fluent Bit; its structure is compared in tests',
  render: (description) => [
    file('host', description, [
      ['Name', 'systemd'],
      ['Tag', description.name],
      ['Systemd_Filter', `_SYSTEMD_UNIT=${description.name}@*.service`],
      ['DB', '/var/lib/fluent-bit/journal.db'],
      ['Read_From_Tail', 'On'],
      ['Strip_Underscores', 'On'],
    ]),
    file('compose', description, [
      ['Name', 'tail'],
      ['Tag', description.name],
      ['Path', '/var/log/containers/*.log'],
      ['DB', '/var/lib/fluent-bit/tail.db'],
      ['Mem_Buf_Limit', '16MB'],
      ['Skip_Long_Lines', 'On'],
    ]),
  ],
}

type Section = readonly (readonly [name: string, value: string])[]

function file(place: string, { name }: Description, input: Section): Artefact {
  const sections: readonly (readonly [string, Section])[] = [
    [
      'SERVICE',
      [
        ['Flush', '1'],
        ['Grace', '10'],
        ['Log_Level', 'info'],
        ['storage.path', '/var/lib/fluent-bit/buffer'],
      ],
    ],
    ['INPUT', input],
    [
      'FILTER',
      [
        ['Name', 'parser'],
        ['Match', name],
        ['Key_Name', place === 'host' ? 'MESSAGE' : 'log'],
        ['Parser', 'json'],
        ['Reserve_Data', 'On'],
      ],
    ],
    [
      'OUTPUT',
      [
        ['Name', 'http'],
        ['Match', name],
        ['Host', fromEnvironment('LOGS_HOST')],
        ['Port', '443'],
        ['URI', fromEnvironment('LOGS_URI')],
        ['Header', `Authorization Bearer ${fromEnvironment('LOGS_TOKEN')}`],
        ['Format', 'json_lines'],
        ['Json_Date_Key', 'collected'],
        ['Json_Date_Format', 'iso8601'],
        ['tls', 'On'],
        ['tls.verify', 'On'],
        ['Retry_Limit', '20'],
      ],
    ],
  ]
  return { path: `deploy/fluent-bit/${place}.conf`, text: `${rendered()}${sections.map(toText).join('\n')}` }
}

/** As Fluent Bit writes it. */
const fromEnvironment = (name: string): string => `$\{${name}}`

const WIDTH = 20
const toText = ([head, lines]: readonly [string, Section]): string =>
  `[${head}]\n${lines.map(([name, value]) => `    ${name.padEnd(WIDTH)} ${value}\n`).join('')}`
