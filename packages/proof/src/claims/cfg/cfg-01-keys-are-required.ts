import { atMost, defineClaim, exactly } from '../../claim.ts'
import { sendRaw } from '../../rig/raw.ts'
import type { Rig } from '../../rig/rig.ts'
import { patch } from '../../sabotage.ts'

const wrong: readonly (readonly [what: string, setting: string, value: string])[] = [
  ['too short', 'JWT_ACCESS_SECRET', 'short'],
  ['all zero', 'JWT_REFRESH_SECRET', '0'.repeat(64)],
  ['one character repeated', 'MEDIA_URL_SECRET', 'a'.repeat(64)],
  ['an example of a document', 'JWT_ACCESS_SECRET', 'your-very-secure-access-token-secret-at-least-32-characters'],
  ['a file that is not there', 'JWT_ACCESS_SECRET_FILE', '/nowhere/secret'],
  ['a placeholder', 'DATABASE_ROLE_SECRET', 'changeme-changeme-changeme-changeme-1234'],
]

export const claim = defineClaim({
  id: 'CFG-01',
  says: 'A production start with a weak, known or unreadable key is refused at once, names the setting, and opens no port',
  answers: ['C2', 'C8', 'ASVS 13.3.1'],
  witness: 'the real process',
  tier: 'fast',
  seconds: 5,
  limits: {
    'starts that went through': exactly(0, 'of 6'),
    'messages without the setting': exactly(0, 'of 6'),
    'slowest refusal': atMost(2_000, 'ms'),
    'ports opened': exactly(0, 'ports'),
  },
  experiment: async (rig) => {
    const outcomes = []
    for (const [what, setting, value] of wrong)
      outcomes.push({ what, setting, ...(await tryStart(rig, setting, value)) })
    return {
      measured: {
        'starts that went through': outcomes.filter((outcome) => outcome.code === 0 || outcome.served).length,
        'messages without the setting': outcomes.filter(({ output, setting }) => !output.includes(setting)).length,
        'slowest refusal': Math.max(...outcomes.map((outcome) => outcome.ms)),
        'ports opened': outcomes.filter((outcome) => outcome.served).length,
      },
      met: { 'all six starts were tried': outcomes.length === wrong.length },
      evidence: outcomes.map(
        ({ what, setting, code, ms }) => `${setting} ${what}: exit ${code} after ${Math.round(ms)} ms`,
      ),
    }
  },
  sabotages: [
    patch(
      'known placeholders are let through',
      'packages/platform/src/config/config.ts',
      'production && isPlaceholder(given)',
      'production && false && isPlaceholder(given)',
    ),
  ],
})

async function tryStart(rig: Rig, setting: string, value: string) {
  const started = performance.now()
  const stack = await rig.launch({ environment: { NODE_ENV: 'production', [setting]: value } })
  const ended = await Promise.race([stack.exited, until(() => stack.output().includes('Seaworthy is up'))])
  const ms = performance.now() - started
  const answer = await sendRaw(stack.port, 'GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n', 100)
  return { code: ended?.code ?? 0, ms, served: answer.statuses.length > 0, output: stack.output() }
}

async function until(isTrue: () => boolean): Promise<undefined> {
  for (let i = 0; i < 500 && !isTrue(); i++) await new Promise((resolve) => setTimeout(resolve, 50))
  return undefined
}
