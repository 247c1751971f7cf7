import { defineClaim, exactly } from '../../claim.ts'
import { forEachOf, tryStart } from '../../rig/settings.ts'
import { patch } from '../../sabotage.ts'

/** As the documents that people copy from write them, and what else is written where a secret belongs. */
const placeholders: readonly (readonly [setting: string, value: string])[] = [
  ['JWT_ACCESS_SECRET', 'your-very-secure-access-token-secret-at-least-32-characters'],
  ['JWT_REFRESH_SECRET', 'your-very-secure-refresh-token-secret-at-least-32-characters'],
  ['JWT_ACCESS_SECRET', 'your-jwt-secret'],
  ['MEDIA_URL_SECRET', 'your-encryption-key'],
  ['MEDIA_URL_SECRET', '<generate-with-node-crypto-randomBytes-32-hex>'],
  ['MEDIA_URL_SECRET', '<paste-generated-key-here>'],
  ['DATABASE_ROLE_SECRET', 'your_secure_password'],
  ['DATABASE_ROLE_SECRET', 'changeme-changeme-changeme-changeme-1234'],
  ['JWT_REFRESH_SECRET', 'sk_test_4eC39HqLyjWDarjtT1zdp7dc0000'],
  ['JWT_REFRESH_SECRET', 'replace-me-with-a-long-random-value-0123456789'],
  ['DATABASE_URL', 'postgresql://username:password@host:5432/database?sslmode=require'],
  ['DATABASE_URL', 'postgresql://user:pass@host:5432/db'],
  ['DATABASE_URL', 'postgresql://grapefruit:your_secure_password@127.0.0.1:5432/grapefruit'],
  ['ALLOWED_ORIGINS', 'https://cosnap.vercel.app,https://your-custom-domain.com'],
  ['ALI_OSS_ACCESS_KEY_ID', 'your-ali-oss-access-key-id'],
  ['ALI_OSS_ACCESS_KEY_SECRET', 'your-ali-oss-access-key-secret'],
  ['ALI_OSS_BUCKET', 'your-bucket-name'],
  ['PUBLIC_URL', 'https://your-domain.com'],
]
const AT_A_TIME = 3

export const claim = defineClaim({
  id: 'CFG-03',
  says: 'A production start with a value that was left as the documents print it is refused, and names the setting',
  answers: ['C2', 'C4', 'ASVS 13.3.1', 'ASVS 13.4.2'],
  witness: 'the real process, with the values of the four source documents',
  tier: 'full',
  seconds: 25,
  limits: {
    'placeholders taken': exactly(0, 'values'),
    'refusals that do not name the setting': exactly(0, 'refusals'),
    'good values refused': exactly(0, 'starts'),
  },
  experiment: async (rig) => {
    const outcomes = await forEachOf(placeholders, AT_A_TIME, async ([name, value]) => ({
      name,
      value,
      ...(await tryStart(rig, { NODE_ENV: 'production', DB_CONNECT_TRIES: '1', [name]: value })),
    }))
    const good = await tryStart(rig, {
      NODE_ENV: 'production',
      JWT_ACCESS_SECRET: Array.from({ length: 64 }, () => Math.floor(rig.random() * 16).toString(16)).join(''),
      PUBLIC_URL: 'https://photos.example.org',
      ALLOWED_ORIGINS: 'https://partner.example.org',
    })
    const taken = outcomes.filter(({ refused }) => !refused)
    const unnamed = outcomes.filter(
      ({ refused, name, output }) => refused && !new RegExp(`^  ${name} `, 'm').test(output),
    )
    return {
      measured: {
        'placeholders taken': taken.length,
        'refusals that do not name the setting': unnamed.length,
        'good values refused': good.refused ? 1 : 0,
      },
      met: { 'every value was tried': outcomes.length === placeholders.length },
      evidence: [...taken, ...unnamed].map(({ name, value }) => `${name}=${value}`),
    }
  },
  sabotages: [
    patch(
      'placeholders are looked for in development only',
      'packages/platform/src/config/config.ts',
      'production && isPlaceholder(given)',
      '!production && isPlaceholder(given)',
    ),
    patch(
      'passwords inside addresses are not looked at',
      'packages/platform/src/config/config.ts',
      '(password !== undefined && placeholder.test(password))',
      'false',
    ),
  ],
})
