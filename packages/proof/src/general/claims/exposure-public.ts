import { isOk, jsonOf } from '../answer.ts'
import { defineGeneralClaim } from '../claim.ts'
import { type Finding, shown } from '../finding.ts'
import type { Target } from '../target.ts'

const mistakes = {
  'metrics are public': [39, 110],
  'the public health answer tells about the inside': [38, 110],
  'files with secrets are served': [69],
  'a route for people answers without a sign-in': [83],
} as const
type Mistake = keyof typeof mistakes

const secretFiles: readonly (readonly [path: string, form: RegExp])[] = [
  ['/.env', /^[A-Z_]+=/m],
  ['/.env.production', /^[A-Z_]+=/m],
  ['/.git/config', /\[core\]/],
  ['/config.json', /secret|password/i],
]
const inside = /^(version|commit|environment|env|node|nodeVersion|uptime|memory|hostname|host|pid|platform)$/i

export const claim = defineGeneralClaim({
  id: 'GEN-03',
  says: 'Strangers see no metrics, no details of the inside, no files with secrets, and nothing that belongs to people',
  mistakes,
  answers: ['Z4', 'O1', 'O11', 'C8', 'ASVS 8.2.1', 'ASVS 13.4.1', 'ASVS 13.4.5'],
  needs: ['health'],
  find: async ({ config, ask }) => {
    const found: Finding<Mistake>[] = []
    const health = await ask(config.health ?? '')
    const telling = namesIn(jsonOf(health)).filter((name) => inside.test(name))
    if (telling.length) found.push(shown('the public health answer tells about the inside', health))
    const metrics = await ask(config.metrics ?? 'GET /metrics')
    if (isOk(metrics) && /^# TYPE /m.test(metrics.text)) found.push(shown('metrics are public', metrics))
    found.push(...(await secretFilesOf(ask)), ...(await openRoutes(ask, config.private)))
    return { findings: found, met: { 'health was answered': health.status > 0 } }
  },
})

async function secretFilesOf(ask: Target['ask']): Promise<Finding<Mistake>[]> {
  const found: Finding<Mistake>[] = []
  for (const [path, form] of secretFiles) {
    const answer = await ask(`GET ${path}`)
    if (isOk(answer) && form.test(answer.text) && !/<html/i.test(answer.text))
      found.push(shown('files with secrets are served', answer, { about: path }))
  }
  return found
}

async function openRoutes(ask: Target['ask'], routes: readonly string[] = []): Promise<Finding<Mistake>[]> {
  const found: Finding<Mistake>[] = []
  for (const route of routes) {
    const answer = await ask(route)
    if (isOk(answer)) found.push(shown('a route for people answers without a sign-in', answer, { about: route }))
  }
  return found
}

/** Every name of an object and of what is in it. */
function namesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => [name, ...namesIn(inner)])
}
