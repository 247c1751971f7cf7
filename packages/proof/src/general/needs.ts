import type { GeneralConfig, ResourcePart } from './config.ts'

/** What a claim cannot do without: parts of the configuration, and what several parts make possible together. */
export type Need =
  | keyof typeof composed
  | Exclude<keyof GeneralConfig, 'url' | 'start' | 'resource' | 'provider'>
  | `resource.${ResourcePart}`

/** On a port of its own beside the first one. */
const startsAnother = ({ start, url }: GeneralConfig): boolean => start !== undefined && url.includes('{port}')

const usesProvider = ({ start }: GeneralConfig): boolean =>
  Object.values(start?.environment ?? {}).some((value) => value.includes('{provider}'))

const composed = {
  process: { name: 'start and {port} in the url', has: startsAnother },
  'start.required': {
    name: 'start.required or start.secrets, and {port} in the url',
    has: (config: GeneralConfig) =>
      startsAnother(config) && (config.start?.required ?? config.start?.secrets) !== undefined,
  },
  people: {
    name: 'signUp and token',
    has: ({ signUp, token }: GeneralConfig) => signUp !== undefined && token !== undefined,
  },
  provider: {
    name: 'provider and {provider} in the environment',
    has: (config: GeneralConfig) => config.provider !== undefined && usesProvider(config),
  },
  pageText: {
    name: 'a page with {text}',
    has: ({ pages = [] }: GeneralConfig) => pages.some((page) => page.includes('{text}')),
  },
  resourceText: {
    name: 'a resource.create with "{text}"',
    has: ({ resource }: GeneralConfig) => /"\{text\}"/.test(resource?.create ?? ''),
  },
} as const

/** What is not configured, in the words of a verdict; undefined when all is there. */
export function missingNeeds(config: GeneralConfig, needs: readonly Need[]): string | undefined {
  const missing = needs.filter((need) => !has(config, need))
  return missing.length ? `needs ${missing.map(nameOf).join(', ')} in the configuration` : undefined
}

function has(config: GeneralConfig, need: Need): boolean {
  if (isComposed(need)) return composed[need].has(config)
  if (need.startsWith('resource.'))
    return config.resource?.[need.slice('resource.'.length) as ResourcePart] !== undefined
  return config[need as keyof GeneralConfig] !== undefined
}

const nameOf = (need: Need): string => (isComposed(need) ? composed[need].name : need)

const isComposed = (need: Need): need is keyof typeof composed => need in composed
