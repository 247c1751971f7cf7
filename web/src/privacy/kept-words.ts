import { apps } from '../apps.ts'

interface KeptWords {
  readonly what: string
  readonly detail?: string
}

/** By the name that the export gives it. */
const words: Readonly<Record<string, KeptWords>> = {
  person: { what: 'You', detail: 'your address, and when you came' },
  accounts: { what: 'Accounts that you belong to', detail: 'and your role in each' },
  'sign-ins': { what: 'Sign-ins', detail: 'the browser, a shortened network address, and when' },
  'api-keys': { what: 'API keys that you made', detail: 'their names and ends, not the keys' },
  passkeys: { what: 'Passkeys', detail: 'their names, and when they were used' },
  consents: { what: 'What you agreed to and took back', detail: 'with the words at that time' },
  'seaworthy.jobs': { what: 'Work done for you', detail: 'what was asked for, and how it ended' },
  'seaworthy.ledger': { what: 'Credits received and spent', detail: 'in the books, which stay without your name' },
  'seaworthy.blobs': { what: 'Files' },
  'seaworthy.ai_usage': {
    what: 'Use of AI',
    detail: 'how often, by which engine and for how much, not what was asked',
  },
  'seaworthy.audit': { what: 'Activity', detail: 'what was done in your account, when, and from where' },
}

/** What a kind is, for people. An app says it of its own. */
export function keptWords(name: string): KeptWords {
  const known = words[name]
  if (known) return known
  const [owner = '', table = ''] = name.split('.')
  const app = apps.find((one) => one.name === owner)
  return { what: app?.kept[table] ?? table.replaceAll('_', ' '), ...(app ? { detail: `in ${app.title}` } : {}) }
}
