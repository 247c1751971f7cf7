import type { Description } from '../../description/index.ts'
import type { Target } from '../target.ts'

/** How long a new release may take until it is ready: the database is prepared first. */
const READY_SECONDS = 300
/** The old release goes on this long beside the new one, so that nobody meets a closed door. */
const OVERLAP_SECONDS = 15
const RESTARTS_MAX = 10

/** Railway builds the image and runs it. Numbers are numbers there: its parser refuses `"10"`. */
export const railway: Target = {
  name: 'railway',
  about: 'railway.json: the image, its health check, and how it is replaced',
  notRunHere: 'needs an account at Railway, which reads this file only until 2026-12-01',
  render: (description) => [
    { path: 'railway.json', text: `${JSON.stringify(configurationOf(description), null, 2)}\n` },
  ],
}

const configurationOf = ({ probes, shutdownSeconds }: Description): object => ({
  $schema: 'https://railway.com/railway.schema.json',
  build: { builder: 'DOCKERFILE', dockerfilePath: 'deploy/Dockerfile' },
  deploy: {
    preDeployCommand: ['node packages/cli/bin/seaworthy.js migrate'],
    healthcheckPath: probes.ready,
    healthcheckTimeout: READY_SECONDS,
    overlapSeconds: OVERLAP_SECONDS,
    drainingSeconds: shutdownSeconds,
    restartPolicyType: 'ON_FAILURE',
    restartPolicyMaxRetries: RESTARTS_MAX,
  },
})
