import { checkout, expression, job, prepared, sources, type Workflow } from './steps.ts'

const input = (description: string): object => ({ description, required: true, type: 'string' })
const inputs = {
  environment: input('staging or production'),
  url: input('What people type, for the look from outside: https://app.example.com'),
  image: input('The image by its digest: ghcr.io/owner/name@sha256:...'),
}
const given = {
  ENVIRONMENT: expression('inputs.environment'),
  URL: expression('inputs.url'),
  IMAGE: expression('inputs.image'),
}

/** One deployment of one image that was built before; also by hand, to go back to an older digest. */
export const deploy: Workflow = {
  name: 'Deploy',
  on: { workflow_call: { inputs }, workflow_dispatch: { inputs } },
  permissions: {},
  // One at a time for each place, and none is broken off in the middle.
  concurrency: { group: `deploy-${expression('inputs.environment')}`, 'cancel-in-progress': false },
  jobs: {
    verify: job(
      'Where does the image come from?',
      5,
      [
        checkout(),
        {
          run: 'sh deploy/verify-image.sh',
          env: {
            ...given,
            GH_TOKEN: expression('github.token'),
            REGISTRY_USER: expression('github.actor'),
            REGISTRY_TOKEN: expression('secrets.GITHUB_TOKEN'),
          },
        },
      ],
      { permissions: { contents: 'read', packages: 'read', attestations: 'read' } },
    ),
    deploy: job(
      'Deploy',
      30,
      [
        ...prepared(),
        {
          run: 'sh deploy/fetch-image.sh',
          env: {
            ...given,
            REGISTRY_USER: expression('github.actor'),
            REGISTRY_TOKEN: expression('secrets.GITHUB_TOKEN'),
          },
        },
        // In a container, beside the one that serves. It smokes as a synthetic person, watches for the bake time and goes back by itself.
        { run: 'node packages/cli/bin/seaworthy.js deploy "$IMAGE"', env: given },
      ],
      {
        needs: 'verify',
        permissions: { contents: 'read', packages: 'read' },
        // A runner on the host itself: GitHub then needs no key to it.
        'runs-on': ['self-hosted', expression('inputs.environment')],
        environment: { name: expression('inputs.environment'), url: expression('inputs.url') },
      },
    ),
    smoke: job('Look at it from outside', 5, [...sources(), { run: 'npm run smoke', env: given }], {
      needs: 'deploy',
    }),
  },
}
