import { actions } from './actions.ts'
import { expression, job, perBranch, prepared, use, type Workflow } from './steps.ts'

const file = '.seaworthy/baseline.json'

/** How fast it is, compared with what the same kind of machine measured before. */
export const performance: Workflow = {
  name: 'Performance',
  on: { push: { branches: ['main'] }, schedule: [{ cron: '41 3 * * 2' }], workflow_dispatch: {} },
  permissions: {},
  concurrency: perBranch('performance'),
  jobs: {
    measure: job('Answers and pages', 60, [
      ...prepared(),
      { run: 'sh scripts/install-test-tools.sh' },
      { run: 'sh scripts/install-proof-tools.sh' },
      // A cache entry is never changed: each run adds its own, and the newest is taken.
      use(actions.cache, {
        path: file,
        key: `baseline-${expression('runner.os')}-${expression('github.run_id')}`,
        'restore-keys': `baseline-${expression('runner.os')}-`,
      }),
      { run: 'npm run build' },
      { run: 'npm run prove -- CAP-01 WEB-01 --strict' },
      { run: 'npm run baseline' },
      { ...use(actions.uploadArtifact, { name: 'measurements', path: '.seaworthy/proofs/' }), if: 'always()' },
    ]),
  },
}
