import { Document, isScalar, visit } from 'yaml'
import { rendered, type Target } from '../target.ts'
import { actions, pinOf } from './actions.ts'
import { ciCd } from './ci-cd.ts'
import { deploy } from './deploy.ts'
import { performance } from './performance.ts'
import { fetchImage, publishImage, verifyImage } from './scripts.ts'
import { securityScan } from './security-scan.ts'
import type { Workflow } from './steps.ts'

/** What GitHub does with a change. Each step is a command of the checkout, which `npm run ci` runs too. */
export const workflows: Target = {
  name: 'workflows',
  about: 'GitHub workflows: CI and delivery, deployment, security scan, performance',
  notRunHere: 'GitHub runs them; `npm run ci` runs their steps here, in order',
  render: (description) => [
    { path: '.github/workflows/ci-cd.yml', text: textOf(ciCd(description)) },
    { path: '.github/workflows/deploy.yml', text: textOf(deploy) },
    { path: '.github/workflows/security-scan.yml', text: textOf(securityScan) },
    { path: '.github/workflows/performance-monitoring.yml', text: textOf(performance) },
    { path: 'deploy/publish-image.sh', text: publishImage, executable: true },
    { path: 'deploy/verify-image.sh', text: verifyImage, executable: true },
    { path: 'deploy/fetch-image.sh', text: fetchImage, executable: true },
  ],
}

const versions = new Map<string, string>(Object.values(actions).map((action) => [pinOf(action), action.version]))

function textOf(workflow: Workflow): string {
  const document = new Document(workflow, { aliasDuplicateObjects: false })
  visit(document, {
    Pair: (_key, { key, value }) => {
      const version =
        isScalar(key) && key.value === 'uses' && isScalar(value) ? versions.get(String(value.value)) : undefined
      if (version && isScalar(value)) value.comment = ` ${version}`
    },
  })
  return rendered() + document.toString({ lineWidth: 0 })
}
