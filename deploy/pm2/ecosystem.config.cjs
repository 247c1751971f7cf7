// Rendered from the definition by `seaworthy render`. Your own changes: edit, then `seaworthy render --keep`.
const { join } = require('node:path')

// The checkout that this file is in.
const cwd = join(__dirname, '..', '..')
module.exports = { apps: [{ cwd, ...{
  "name": "seaworthy",
  "script": "packages/cli/dist/main.js",
  "args": "start",
  "exec_mode": "fork",
  "instances": 1,
  "autorestart": true,
  "exp_backoff_restart_delay": 100,
  "max_memory_restart": "3072M",
  "kill_timeout": 45000,
  "merge_logs": true,
  "env": {
    "NODE_ENV": "production",
    "WEB_PROCESSES": "2",
    "WORKER_PROCESSES": "1",
    "LOG_FORMAT": "json"
  }
} }] }
