// `URL=https://app.example.com npm run smoke`: what somebody outside sees right after a deployment. It changes nothing.
const url = (process.env.URL ?? process.argv[2] ?? '').replace(/\/$/, '')
if (!/^https?:\/\//.test(url)) {
  console.error('No address.\n    HINT: URL=https://app.example.com npm run smoke')
  process.exit(2)
}
const TIMEOUT_MS = 15_000
const get = (path, accept = '*/*') =>
  fetch(url + path, { headers: { accept }, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) })

const looks = {
  'it is ready': async () => (await get('/health/ready')).status === 200,
  'the page comes with its policy': async () => {
    const page = await get('/', 'text/html')
    return page.status === 200 && (page.headers.get('content-security-policy') ?? '').includes("default-src 'none'")
  },
  'the program of the page comes, to be kept for a year': async () => {
    const asset = /(?:src|href)="(\/assets\/[^"]+\.js)"/.exec(await (await get('/', 'text/html')).text())?.[1]
    const answer = asset ? await get(asset) : undefined
    return answer?.status === 200 && (answer.headers.get('cache-control') ?? '').includes('immutable')
  },
  'the API is described': async () => (await (await get('/openapi.json')).json()).openapi.startsWith('3.'),
  'strangers are asked to sign in': async () => (await get('/api/identity/me')).status === 401,
}
let failed = 0
for (const [name, look] of Object.entries(looks)) {
  const problem = await look().then(
    (ok) => (ok ? undefined : 'no'),
    (error) => `${error.message}${error.cause ? ` (${error.cause.message})` : ''}`,
  )
  console.log(`${problem ? 'FAILED' : 'ok    '}  ${name}${problem ? `: ${problem}` : ''}`)
  if (problem) failed++
}
process.exit(failed ? 1 : 0)
