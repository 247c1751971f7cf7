import type { Description } from '../../description/index.ts'
import { rendered, type Target } from '../target.ts'

/** For hosts without systemd: PM2 keeps our supervisor, which keeps the processes. Never in a container. */
export const pm2: Target = {
  name: 'pm2',
  about: 'PM2 on a host without systemd (never in a container)',
  render: (description) => [{ path: 'deploy/pm2/ecosystem.config.cjs', text: render(description) }],
}

/** Behind what the service takes itself to finish. */
const STOP_MARGIN_SECONDS = 15

function render({ name, sizes: { host }, shutdownSeconds }: Description): string {
  const memory = host.web.replicas * host.web.memoryMiB + host.worker.replicas * host.worker.memoryMiB
  const app = {
    name,
    script: 'packages/cli/dist/main.js',
    args: 'start',
    // The supervisor divides its port between processes itself, which `cluster` would do a second time.
    exec_mode: 'fork',
    instances: 1,
    autorestart: true,
    // At once the first time; what ends again and again waits longer each time, and is never given up.
    exp_backoff_restart_delay: 100,
    max_memory_restart: `${memory}M`,
    kill_timeout: (shutdownSeconds + STOP_MARGIN_SECONDS) * 1_000,
    merge_logs: true,
    env: {
      NODE_ENV: 'production',
      WEB_PROCESSES: String(host.web.replicas),
      WORKER_PROCESSES: String(host.worker.replicas),
      LOG_FORMAT: 'json',
    },
  }
  return `${rendered('//')}const { join } = require('node:path')

// The checkout that this file is in.
const cwd = join(__dirname, '..', '..')
module.exports = { apps: [{ cwd, ...${JSON.stringify(app, null, 2)} }] }
`
}
