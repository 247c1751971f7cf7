import { actions } from './actions.ts'
import { checkout, job, perBranch, prepared, use, type Workflow } from './steps.ts'

/** What others could have put into the product: every week, as weaknesses become known, and with each change. */
export const securityScan: Workflow = {
  name: 'Security scan',
  on: { push: { branches: ['main'] }, pull_request: {}, schedule: [{ cron: '23 4 * * 1' }], workflow_dispatch: {} },
  permissions: {},
  concurrency: perBranch('security-scan'),
  jobs: {
    secrets: job('Secrets in the tree, its history, and what is built', 20, [
      ...prepared('history'),
      { run: 'sh scripts/install-proof-tools.sh' },
      { run: 'npm run build' },
      { run: 'npm run prove -- CFG-04 --strict' },
    ]),
    packages: job('Lock file, licences, bill of materials, known weaknesses', 15, [
      ...prepared(),
      { run: 'npm run packages' },
      { run: 'npm run sbom' },
      use(actions.uploadArtifact, { name: 'sbom', path: '.seaworthy/sbom.cdx.json' }),
      { run: 'npm run audit' },
    ]),
    // Where other scanners are wanted (Semgrep, Trivy, Snyk), each is a job like this one.
    code: job(
      'CodeQL',
      30,
      [checkout(), use(actions.codeqlInit, { languages: 'javascript-typescript' }), use(actions.codeqlAnalyze)],
      { permissions: { contents: 'read', 'security-events': 'write' } },
    ),
  },
}
