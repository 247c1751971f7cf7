import { newId } from '@seaworthy/core'
import { atLeast, defineClaim, exactly } from '../../claim.ts'
import { patch } from '../../sabotage.ts'

const hostile = [
  'null',
  'https://evil.example',
  'https://app.example.com.evil.example',
  'https://evil-app.example.com',
  'https://app.example.com:8443',
  'http://app.example.com',
  'HTTPS://APP.EXAMPLE.COM.',
  'https://app.example.com%00.evil.example',
]
const listed = 'https://app.example.com'

export const claim = defineClaim({
  id: 'NET-04',
  says: 'Only the sites that are listed may call the API from a browser, and none that merely looks like one',
  answers: ['H8', 'ASVS 3.4.2', 'ASVS 3.5.1'],
  witness: 'requests with the headers that browsers send',
  tier: 'fast',
  seconds: 4,
  limits: {
    'foreign origins allowed': exactly(0, 'origins'),
    'changes looked at for a foreign origin': exactly(0, 'changes'),
    'listed origins allowed': atLeast(1, 'origins'),
  },
  experiment: async (rig) => {
    const stack = await rig.start({ environment: { ALLOWED_ORIGINS: listed } })
    const person = await stack.newcomer()
    const read = (origin: string) => person.fetch('/api/cosnap/effects', { headers: { origin } })
    // There is no such effect: whoever gets as far as that was let in.
    const change = (origin?: string) =>
      person.fetch(`/api/cosnap/runs/${newId()}/cancel`, { method: 'POST', headers: origin ? { origin } : {} })
    const allowed = async (origin: string) => (await read(origin)).headers.has('access-control-allow-origin')
    const wronglyAllowed = []
    for (const origin of hostile) if (await allowed(origin)) wronglyAllowed.push(origin)
    const changes = []
    for (const origin of hostile) if ((await change(origin)).status !== 403) changes.push(origin)
    return {
      measured: {
        'foreign origins allowed': wronglyAllowed.length,
        'changes looked at for a foreign origin': changes.length,
        'listed origins allowed': (await allowed(listed)) ? 1 : 0,
      },
      met: {
        'without an origin the change is looked at': (await change()).status === 404,
        'the person was signed in all the while': (await person.fetch('/api/identity/me')).ok,
      },
      evidence: [...wronglyAllowed, ...changes],
    }
  },
  sabotages: [
    patch(
      'an origin is allowed that only begins like a listed one',
      'packages/platform/src/http/stages/check-origin.ts',
      'exchange.parts.settings.allowedOrigins.includes(origin)',
      'exchange.parts.settings.allowedOrigins.some((listed) => origin.startsWith(listed))',
    ),
  ],
})
