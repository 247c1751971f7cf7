import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** How a release behaves that is made for a test. */
export type Behaviour =
  | 'good'
  | 'crashes'
  | 'never-ready'
  | 'finds-no-database'
  | 'lacks-key'
  | 'fails-migration'
  | 'fails-journey'
  | 'errors'
  | 'fails-pages'
  | 'hangs-later'

/** A built checkout whose program is a few lines that serve what a release serves. */
export function makeCheckout(directory: string, name: string, behaviour: Behaviour = 'good'): string {
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
  write('dist/build.json', JSON.stringify({ version: '1.0.0', commit: 'abcdef123456' }))
  write('package.json', '{"type":"module"}')
  write('packages/cli/dist/main.js', programOf(name, behaviour))
  write('node_modules/.package-lock.json', JSON.stringify({ packages: { 'node_modules/builds': { dev: true } } }))
  write('node_modules/runs/index.js', 'export const runs = true')
  write('node_modules/builds/index.js', 'export const builds = true')
  return directory
}

const programOf = (name: string, behaviour: Behaviour): string => `
import { rmSync } from 'node:fs'
import { createServer } from 'node:http'
const [command] = process.argv.slice(2)
const behaviour = '${behaviour}'
if (command === 'migrate') {
  const isLook = process.argv.includes('--dry-run')
  if (isLook) console.log(JSON.stringify({ pending: ['app/0001-first.sql'], missingKeys: behaviour === 'lacks-key' ? ['0123456789abcdef'] : [] }))
  if (isLook) process.exit(behaviour === 'finds-no-database' ? 1 : 0)
  const link = process.argv.includes('--no-operator-link') ? '' : ',"operatorLink":"https://app.example.com/sign-up?operator=x"'
  console.log('{"applied":["app/0001-first.sql"]' + link + '}')
  process.exit(behaviour === 'fails-migration' ? 1 : 0)
}
if (command === 'journey') process.exit(behaviour === 'fails-journey' ? 1 : 0)
if (behaviour === 'crashes') process.exit(1)
let asked = 0
let pages = 0
const started = Date.now()
const public_ = createServer((request, response) => {
  if (behaviour === 'hangs-later' && Date.now() - started > 1_500) return
  const isReady = request.url === '/health/ready'
  const isPage = request.headers.accept === 'text/html'
  if (isPage) pages++
  else if (!isReady) asked++
  response.statusCode = isReady ? 200 : behaviour === 'errors' || (isPage && behaviour === 'fails-pages') ? 500 : 200
  response.end('${name}')
})
const status = () => ({ parts: [{ name: 'web', state: behaviour === 'never-ready' ? 'starting' : 'ready', pid: process.pid, restarts: 0 }] })
const admin = createServer((request, response) => {
  if (request.url !== '/metrics') return response.end(JSON.stringify(status()))
  const count = (route, status, times) => {
    const labels = 'method="GET",route="' + route + '",status_code="' + status + '"'
    return 'http_request_duration_seconds_bucket{le="0.25",' + labels + '} ' + times + '\\n' + 'http_request_duration_seconds_count{' + labels + '} ' + times + '\\n'
  }
  response.end(count('/api/x', behaviour === 'errors' ? 500 : 200, asked) + count('page', behaviour === 'fails-pages' ? 500 : 200, pages))
})
for (const path of [process.env.SOCKET, process.env.ADMIN_SOCKET]) if (path) rmSync(path, { force: true })
public_.listen(process.env.SOCKET)
if (process.env.ADMIN_SOCKET) admin.listen(process.env.ADMIN_SOCKET)
else admin.listen(Number(process.env.ADMIN_PORT), '127.0.0.1')
process.on('SIGTERM', () => process.exit(0))
`
