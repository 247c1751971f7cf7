import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineClaim, exactly } from '../../claim.ts'
import { type DocumentedSetting, forEachOf, readSettings, tryStart } from '../../rig/settings.ts'
import { patch } from '../../sabotage.ts'

/** What operators are told, of the checkout that is judged; from `packages/proof/dist/claims/cfg`. */
const example = join(import.meta.dirname, '..', '..', '..', '..', '..', '.env.example')
/** Its form is the provider's: no value is wrong by its form. */
const withoutForm = ['S3_SECRET_ACCESS_KEY']
const AT_A_TIME = 3

export const claim = defineClaim({
  id: 'CFG-02',
  says: 'Every setting with a wrong value stops the start, and all wrong ones are named at once, each with what mends it',
  answers: ['C2', 'C4', 'ASVS 13.1.1'],
  witness: 'the real process, with the settings that .env.example describes',
  tier: 'full',
  seconds: 25,
  limits: {
    'wrong settings that were taken': exactly(0, 'settings'),
    'settings not named in their refusal': exactly(0, 'settings'),
    'values taken or not named when all are wrong': exactly(0, 'values'),
    'faults without what mends them': exactly(0, 'faults'),
  },
  experiment: async (rig) => {
    const settings = readSettings(readFileSync(example, 'utf8')).filter((setting) => wrongValues(setting).length > 0)
    const alone = await forEachOf(settings, AT_A_TIME, async (setting) => {
      const [value = ''] = wrongValues(setting)
      return { ...setting, value, ...(await tryStart(rig, { [setting.name]: value })) }
    })
    const rounds = Math.max(...settings.map((setting) => wrongValues(setting).length))
    const together = await forEachOf([...Array(rounds).keys()], AT_A_TIME, async (round) => {
      const wrong = settings.flatMap((setting) => {
        const value = wrongValues(setting)[round]
        return value === undefined ? [] : [[setting.name, value] as const]
      })
      return { wrong, ...(await tryStart(rig, Object.fromEntries(wrong))) }
    })
    const taken = alone.filter(({ refused }) => !refused)
    const unnamed = alone.filter(({ refused, name, output }) => refused && !isNamed(name, output))
    const missed = together.flatMap(({ wrong, refused, output }) =>
      wrong.filter(([name]) => !refused || !isNamed(name, output)),
    )
    const unmended = together.flatMap(({ wrong, output }) =>
      wrong.filter(([name]) => isNamed(name, output) && !new RegExp(`^  ${name} .*\\n +HINT: `, 'm').test(output)),
    )
    return {
      measured: {
        'wrong settings that were taken': taken.length,
        'settings not named in their refusal': unnamed.length,
        'values taken or not named when all are wrong': missed.length,
        'faults without what mends them': unmended.length,
      },
      met: {
        'thirty settings or more were tried alone': alone.length >= 30,
        'eighty values or more were tried': together.flatMap(({ wrong }) => wrong).length >= 80,
      },
      evidence: [
        `${alone.length} settings, ${together.flatMap(({ wrong }) => wrong).length} values`,
        ...[...taken, ...unnamed].map(({ name, value }) => `${name}=${value}`),
        ...[...missed, ...unmended].map(([name, value]) => `${name}=${value}`),
      ],
    }
  },
  sabotages: [
    patch(
      'one setting is taken as any text',
      'packages/platform/src/config/settings.ts',
      "trustedProxies: integer('TRUSTED_PROXIES', 0, 10, {",
      "trustedProxies: text('TRUSTED_PROXIES', {",
    ),
    patch(
      'numbers have no upper bound',
      'packages/platform/src/config/setting.ts',
      'z.number().min(min, message).max(max, message)',
      'z.number().min(min, message)',
    ),
    patch(
      'only the first fault is told',
      'packages/platform/src/config/config.ts',
      'if (problem) faults.push(',
      'if (problem && faults.length === 0) faults.push(',
    ),
  ],
})

const isNamed = (name: string, output: string): boolean => new RegExp(`^  ${name} `, 'm').test(output)

/** By the type that is documented; the plainest one first. */
function wrongValues({ name, type }: DocumentedSetting): readonly string[] {
  const [, min = '', max = ''] = /, (\S+) to (\S+)$/.exec(type) ?? []
  if (withoutForm.includes(name)) return []
  if (type.startsWith('number')) return ['many', String(Number(max) + 1), '-1', '1.5', '0x10', `${min}; true`]
  if (type.startsWith('duration')) return ['soon', '100000d', '-1s', '0', '5 parsecs']
  if (type.startsWith('size')) return ['much', '100000tb', '-1', '0', '5 shoes']
  if (type.startsWith('origins')) return ['https://a.example/path', '*', 'a.example', 'https://a.example,null']
  if (type.startsWith('URL')) return ['nonsense', 'ftp://a.example', 'javascript:alert(1)', '//a.example']
  if (type === 'secret') return ['short', 'a'.repeat(64), '0123456789'.repeat(2), 'http://a.example']
  return type.includes(' | ') ? ['nonsense', 'TRUE', ' '] : []
}
