import type { Setting } from './setting.ts'
import { settings } from './settings.ts'

const all = Object.values(settings) as readonly Setting<unknown>[]

export interface SettingDescription {
  readonly env: string
  readonly text: string
  readonly type: string
  readonly group: string
  readonly secret: boolean
  /** As somebody would write it; empty when there is none. */
  readonly default: string
  readonly example: string
}

/** What is written about one setting. Throws when there is none of this name. */
export function describeSetting(env: string): SettingDescription {
  const setting = all.find((candidate) => candidate.env === env)
  if (!setting) throw new Error(`there is no setting ${env}`)
  const { text, type, group, secret = false, example } = setting
  return { env, text, type, group, secret, default: setting.default ?? '', example }
}

/** The text of `.env.example`: every setting with its default, none with a secret value. */
export function renderEnvExample(): string {
  const lines = [
    '# Every setting, with its default. Copy to .env and change what you need.',
    '# A name with _FILE behind it reads the value from that file.',
  ]
  for (const group of groups()) {
    lines.push('', `# --- ${group} ---`)
    for (const setting of all.filter((candidate) => candidate.group === group)) {
      lines.push(`# ${setting.text}`, `#   ${setting.type}${also(setting)}`, `#${setting.env}=${setting.default ?? ''}`)
    }
  }
  return `${lines.join('\n')}\n`
}

/** The same as a Markdown table, for the README. */
export function renderSettingsTable(): string {
  const rows = all.map((setting) => {
    const fallback =
      setting.default === undefined
        ? setting.generated
          ? '*made at first start*'
          : '*none*'
        : `\`${setting.default || '(empty)'}\``
    return `| \`${setting.env}\` | ${setting.type.replaceAll('|', '\\|')} | ${fallback} | ${setting.text}${also(setting)} |`
  })
  return ['| setting | type | default | what it does |', '| --- | --- | --- | --- |', ...rows].join('\n')
}

const also = (setting: Setting<unknown>): string =>
  setting.aliases?.length ? ` (also read as ${setting.aliases.join(', ')})` : ''

const groups = (): string[] => [...new Set(all.map((setting) => setting.group))]
