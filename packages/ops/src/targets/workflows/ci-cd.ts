import type { Description } from '../../description/index.ts'
import { actions } from './actions.ts'
import { checkout, expression, type Job, job, perBranch, prepared, sources, use, type Workflow } from './steps.ts'

const onMain = "github.ref == 'refs/heads/main' && github.event_name == 'push'"
const tools = [{ run: 'sh scripts/install-test-tools.sh' }]

const imageSteps: NonNullable<Job['steps']> = [
  checkout(),
  {
    id: 'publish',
    run: 'sh deploy/publish-image.sh',
    env: {
      REGISTRY: 'ghcr.io',
      IMAGE_NAME: expression('github.repository'),
      REGISTRY_USER: expression('github.actor'),
      REGISTRY_TOKEN: expression('secrets.GITHUB_TOKEN'),
    },
  },
  use(actions.attest, {
    'subject-name': expression('steps.publish.outputs.name'),
    'subject-digest': expression('steps.publish.outputs.digest'),
    'push-to-registry': true,
  }),
]

/** Environments hold the approval: whoever may approve is set in the repository, not in a file that a change can edit. */
const deployTo = (environment: string, needs: Job['needs'], description: Description): Job => ({
  needs: needs ?? [],
  permissions: { contents: 'read', packages: 'read', attestations: 'read' },
  uses: './.github/workflows/deploy.yml',
  with: {
    environment,
    url: `https://${environment === 'staging' ? 'staging.' : ''}${description.host}`,
    image: expression('needs.image.outputs.image'),
  },
})

const notifyJob: Job = job(
  'Tell people how it went',
  5,
  [
    ...sources(),
    {
      run: 'npm run notify',
      env: {
        NOTIFY_URL: expression('secrets.NOTIFY_URL'),
        OUTCOMES: expression('toJSON(needs)'),
      },
    },
  ],
  { if: `always() && ${onMain}`, needs: ['image', 'staging', 'production'] },
)

/** From a push to production: judged, built once, and the same image led from place to place. */
export const ciCd = (description: Description): Workflow => ({
  name: 'CI and delivery',
  on: { push: { branches: ['main'] }, pull_request: {}, merge_group: {} },
  permissions: {},
  concurrency: perBranch('ci-cd'),
  jobs: {
    check: job('Check', 10, [...prepared(), { run: 'npm run check' }]),
    test: job('Test', 45, [...prepared(), ...tools, { run: 'npm test' }], { needs: 'check' }),
    prove: job(
      'Prove the fast claims',
      30,
      [
        ...prepared('history'),
        ...tools,
        { run: 'sh scripts/install-proof-tools.sh' },
        { run: 'npm run prove -- --fast --strict' },
        { ...use(actions.uploadArtifact, { name: 'proofs', path: '.seaworthy/proofs/' }), if: 'always()' },
      ],
      { needs: 'check' },
    ),
    image: job('Build the image, once', 30, imageSteps, {
      if: onMain,
      needs: ['test', 'prove'],
      // The registry and the attestation take the short-lived token of this job: no password is kept anywhere.
      permissions: { contents: 'read', packages: 'write', 'id-token': 'write', attestations: 'write' },
      outputs: { image: expression('steps.publish.outputs.image') },
    }),
    staging: deployTo('staging', 'image', description),
    production: deployTo('production', ['image', 'staging'], description),
    notify: notifyJob,
  },
})
