import { join } from 'node:path'
import { atLeast, defineClaim, exactly } from '../../claim.ts'
import { type Given, readGiven } from '../../rig/given-settings.ts'
import { runProgram } from '../../rig/run-program.ts'
import { patch } from '../../sabotage.ts'

const checkout = join(import.meta.dirname, '..', '..', '..', '..', '..')
/** By role, and what a place adds that is no setting of the product. */
const byRole = new Set(['WEB_PROCESSES', 'WORKER_PROCESSES'])
const foreign = new Set(['NODE_EXTRA_CA_CERTS'])
/** Without name and password where a process needs neither: an address and no secret. */
const addresses = new Set(['DATABASE_URL'])

export const claim = defineClaim({
  id: 'CFG-05',
  says: 'Every rendered place gives its processes the same settings from one definition: the example of its environment, its containers and its pods name the same ones with the same values, and the files in the checkout are what is rendered',
  answers: ['C1', 'C5', 'X13'],
  witness: 'kubectl kustomize, a YAML parser, files read back',
  needs: ['kubectl'],
  tier: 'full',
  seconds: 12,
  limits: {
    'settings that a place or role lacks': exactly(0, 'settings'),
    'values that differ from the example': exactly(0, 'values'),
    'files that are not as rendered': exactly(0, 'files'),
    'settings compared': atLeast(200, 'settings'),
  },
  experiment: async (rig) => {
    const given = await readGiven(rig)
    const places = [...new Set(Object.keys(given).map((key) => key.split(' ')[0] ?? ''))]
    const pairs = places.flatMap((place) =>
      ['web', 'worker'].map((role) => ({
        at: `${place} ${role}`,
        example: given[`${place} env`] ?? {},
        there: given[`${place} ${role}`] ?? {},
      })),
    )
    const missing = pairs.flatMap(({ at, example, there }) => different(example, there).map((name) => `${at}: ${name}`))
    const wrong = pairs.flatMap(({ at, example, there }) =>
      Object.entries(example).flatMap(([name, value]) =>
        name in there && !byRole.has(name) && !addresses.has(name) && there[name] !== value
          ? [`${at}: ${name} is ${there[name]}, and ${value} in the example`]
          : [],
      ),
    )
    const main = join(rig.product, 'packages', 'cli', 'dist', 'main.js')
    const checked = await runProgram(process.execPath, [main, 'render', '--check', '--json', '--out', checkout], {
      timeoutMs: 60_000,
    })
    const files = JSON.parse(checked.stdout) as readonly { path: string; drift: string | null }[]
    const drift = files.filter((file) => file.drift !== null)
    return {
      measured: {
        'settings that a place or role lacks': missing.length,
        'values that differ from the example': wrong.length,
        'files that are not as rendered': drift.length,
        'settings compared': pairs.reduce((sum, { there }) => sum + Object.keys(there).length, 0),
      },
      met: {
        'five places were rendered': places.length === 5,
        'files of the checkout were compared': files.length > 30,
      },
      evidence: [...missing, ...wrong, ...drift.map(({ path }) => `${path} differs`)].slice(0, 20),
    }
  },
  sabotages: [
    patch(
      'the compose files forget a setting',
      'packages/ops/src/targets/compose/processes.ts',
      "value !== '' && !(name in changes)",
      "value !== '' && name !== 'LOG_LEVEL' && !(name in changes)",
    ),
    patch(
      'pods have another value',
      'packages/ops/src/targets/kubernetes/settings.ts',
      "value === fromSecret || value === '' ? [] : [[name, value] as const]",
      "value === fromSecret || value === '' ? [] : [[name, name === 'LOG_LEVEL' ? 'error' : value] as const]",
    ),
  ],
})

/** What only one of them names. */
function different(example: Given, there: Given): readonly string[] {
  const names = new Set([...Object.keys(example), ...Object.keys(there)].filter((name) => !foreign.has(name)))
  return [...names].filter((name) => !(name in example) || !(name in there))
}
