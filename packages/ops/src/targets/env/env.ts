import { describeSetting } from '@seaworthy/platform/config'
import { type Description, fromSecret, type Place, places, type Role, valuesOf } from '../../description/index.ts'
import { rendered, type Target } from '../target.ts'

const roleOf: Partial<Record<Place, Role>> = { host: 'web' }

/** One example of an environment per place: every deployed setting with its value; of a secret only the name. */
export const env: Target = {
  name: 'env',
  about: 'an example of the environment for each place',
  render: (description) =>
    places.map((place) => ({ path: `deploy/env/${place}.env.example`, text: renderEnv(description, place) })),
}

function renderEnv(description: Description, place: Place): string {
  const lines = valuesOf(description, place, roleOf[place] ?? 'web').flatMap(([name, value]) => {
    const { text, example } = describeSetting(name)
    return [
      '',
      `# ${text}`,
      value === fromSecret
        ? `# A secret: never in this file, but in ${name}_FILE or the store of the place. ${hint(example)}`
        : undefined,
      value === fromSecret ? `#${name}=` : `${name}=${value}`,
    ].filter((line) => line !== undefined)
  })
  return `${rendered()}${lines.join('\n')}\n`
}

const hint = (example: string): string =>
  example.startsWith('$(') ? `Make one: ${example.slice(2, -1)}` : `Such as ${example}`
