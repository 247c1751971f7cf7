/** The house: rooms of the platform from the cellar up. A room may use the rooms on lower steps. */
const stairs = [
  ['telemetry', 'config'],
  ['connections', 'data'],
  ['vault'],
  ['assets', 'audit', 'consent', 'flags', 'limits'],
  ['jobs', 'media'],
  ['mail'],
  ['identity'],
  ['realtime', 'privacy'],
  ['ai', 'graduation', 'payments', 'recovery'],
  ['past'],
  ['definition'],
  ['http'],
  ['boot'],
]
const platform = '^packages/platform/src/'
const room = (names) => `${platform}(${names.join('|')})/`
const tests = '\\.test\\.tsx?$'

const downstairsOnly = stairs.map((step, i) => ({
  name: `downstairs-only-${step.join('-')}`,
  severity: 'error',
  comment: `${step.join(', ')} may use only the rooms below: ${stairs.slice(0, i).flat().join(', ') || 'core'}`,
  from: { path: room(step), pathNot: tests },
  to: { path: room(stairs.slice(i).flat()), pathNot: `${platform}$1/` },
}))

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...downstairsOnly,
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'rooms-have-doors',
      severity: 'error',
      comment: 'enter another room through its index.ts',
      from: { path: `${platform}([^/]+)/` },
      to: { path: `${platform}[^/]+/`, pathNot: [`${platform}$1/`, `${platform}[^/]+/index\\.ts$`] },
    },
    {
      name: 'core-is-pure',
      severity: 'error',
      comment: 'core: words only, runs in the browser',
      from: { path: '^packages/core/src', pathNot: tests },
      to: { pathNot: '^packages/core/src' },
    },
    {
      name: 'only-cli-and-testkit-boot',
      severity: 'error',
      from: {
        pathNot: ['^packages/testkit/', '^packages/cli/', `${platform}boot/`, '^seaworthy\\.config\\.ts$', tests],
      },
      to: { path: `${platform}boot/` },
    },
    {
      name: 'apps-use-platform-and-core',
      severity: 'error',
      comment: 'an app knows the doors of the platform, core, and nothing of other apps',
      from: { path: '^apps/([^/]+)/src', pathNot: tests },
      to: { path: ['^packages/(?!(core|platform)/)', '^web/', '^apps/'], pathNot: '^apps/$1/src/' },
    },
    {
      name: 'app-pages-talk-through-client',
      severity: 'error',
      comment: 'pages use the design system, the client and core',
      from: { path: '^apps/([^/]+)/web' },
      to: { path: ['^packages/(?!(core|client|ui)/)', '^web/', '^apps/'], pathNot: '^apps/$1/web/' },
    },
    {
      name: 'web-talks-through-client',
      severity: 'error',
      comment: 'the shell mounts the pages of apps and knows nothing of their servers',
      from: { path: '^web/src' },
      to: { path: ['^packages/(?!(core|client|ui)/)', '^apps/[^/]+/src/'] },
    },
    {
      name: 'ui-is-below-pages',
      severity: 'error',
      from: { path: '^packages/ui/' },
      to: { path: ['^packages/(?!(core|client|ui)/)', '^apps/', '^web/'] },
    },
    {
      name: 'client-knows-types-only',
      severity: 'error',
      comment: 'the client infers its types from definitions and runs without them',
      from: { path: '^packages/client/' },
      to: { path: ['^packages/platform/', '^apps/'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'proof-knows-no-platform',
      severity: 'error',
      comment: 'a proof uses only what a user, an operator or an attacker has',
      from: { path: '^packages/proof/' },
      to: { path: ['^packages/(?!(core|proof)/)', '^apps/', '^web/'] },
    },
    {
      name: 'ops-renders-definitions',
      severity: 'error',
      comment: 'ops knows what a system is, and nothing of how it runs inside',
      from: { path: '^packages/ops/', pathNot: tests },
      to: {
        path: [
          '^packages/(?!(core|platform|ops)/)',
          '^apps/',
          '^web/',
          `${platform}(?!(config|definition|http|realtime)/)`,
        ],
      },
    },
    {
      name: 'journeys-know-nobody',
      severity: 'error',
      comment: 'a journey has what a visitor has: addresses and answers',
      from: { path: '^packages/journeys/', pathNot: tests },
      to: { path: ['^packages/(?!journeys/)', '^apps/', '^web/'] },
    },
    {
      name: 'targets-are-pure',
      severity: 'error',
      comment: 'a target gives texts; who writes them is the room render',
      from: { path: '^packages/ops/src/(targets|description)/', pathNot: tests },
      to: { path: ['^node:', '^(fs|child_process|net|http)$', '^packages/ops/src/render/'] },
    },
    {
      name: 'testkit-is-for-tests',
      severity: 'error',
      from: { path: '^(packages|apps|web)/', pathNot: ['^packages/testkit/', tests, '/tests/'] },
      to: { path: '^packages/testkit/' },
    },
    {
      name: 'drivers-own-client-libraries',
      severity: 'error',
      comment: 'pg, graphile-worker, socket.io, s3mini ... are imported by one driver each',
      from: { path: `${platform}`, pathNot: [`${platform}[^/]+/drivers/`, tests] },
      to: {
        path: 'node_modules/(pg|ioredis|graphile-worker|socket\\.io|s3mini|sharp|nodemailer|@ai-sdk|cockatiel|@node-rs/argon2|@zxcvbn-ts)/',
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/dist/' },
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'default'],
      extensions: ['.ts', '.tsx', '.js'],
    },
  },
}
