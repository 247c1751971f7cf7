import type { GeneralConfig, ResourcePart } from './config.ts'

/** What a claim cannot do without. `process`: the app is started by us. `people`: two can sign up. */
export type Need =
  | 'process'
  | 'people'
  | 'pageText'
  | 'resourceText'
  | 'start.required'
  | Exclude<keyof GeneralConfig, 'url' | 'start' | 'resource'>
  | `resource.${ResourcePart}`

/** What is not configured, in the words of a verdict; undefined when all is there. */
export function missingNeeds(config: GeneralConfig, needs: readonly Need[]): string | undefined {
  const missing = needs.filter((need) => !has(config, need))
  return missing.length ? `needs ${missing.map(nameOf).join(', ')} in the configuration` : undefined
}

function has(config: GeneralConfig, need: Need): boolean {
  if (need === 'process') return config.start !== undefined
  if (need === 'people') return config.signUp !== undefined && config.token !== undefined
  if (need === 'provider') return config.provider !== undefined && usesProvider(config)
  if (need === 'start.required') return (config.start?.required ?? config.start?.secrets) !== undefined
  if (need === 'resourceText') return /"\{text\}"/.test(config.resource?.create ?? '')
  if (need === 'pageText') return config.pages?.some((page) => page.includes('{text}')) ?? false
  if (need.startsWith('resource.'))
    return config.resource?.[need.slice('resource.'.length) as ResourcePart] !== undefined
  return config[need as keyof GeneralConfig] !== undefined
}

const usesProvider = ({ start }: GeneralConfig): boolean =>
  Object.values(start?.environment ?? {}).some((value) => value.includes('{provider}'))

function nameOf(need: Need): string {
  if (need === 'process') return 'start'
  if (need === 'people') return 'signUp and token'
  if (need === 'provider') return 'provider, and {provider} in the environment,'
  if (need === 'resourceText') return 'a resource.create with "{text}"'
  if (need === 'pageText') return 'a page with {text}'
  if (need === 'start.required') return 'start.required or start.secrets'
  return need
}
