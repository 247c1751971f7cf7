import express from 'express'
import { addPeople, signedIn } from './people.js'
import { setting } from './support.js'
import { addFiles, addPayments, addThings } from './things.js'

const provider = setting('PROVIDER_URL')
const metricsToken = setting('METRICS_TOKEN')
const app = express()
app.disable('x-powered-by')
let requests = 0

app.use((req, res, next) => {
  requests++
  res.set({
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "default-src 'self'; frame-ancestors 'none'; base-uri 'none'",
  })
  res.on('finish', () => console.log(JSON.stringify({ method: req.method, path: req.path, status: res.statusCode })))
  next()
})
app.get('/health', (_req, res) => res.json({ status: 'ok' }))
app.get('/metrics', (req, res) => {
  if (req.headers.authorization !== `Bearer ${metricsToken}`) return res.status(401).end()
  const name = 'http_request_seconds'
  res
    .type('text/plain')
    .send(`# TYPE ${name} histogram\n${name}_bucket{le="+Inf"} ${requests}\n${name}_count ${requests}\n`)
})
addPayments(app)
addFiles(app)
app.use(express.json({ limit: '100kb' }))

const escaped = (text) => text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`)
const page = (body) => `<!doctype html><html lang="en"><title>Shop</title><body>${body}</body></html>`
app.get('/', (_req, res) => res.send(page('<h1>Welcome</h1>')))
app.get('/search', (req, res) => res.send(page(`<p>Nothing found for ${escaped(String(req.query.q))}.</p>`)))
addPeople(app)
addThings(app)

/** Good answers are kept for a minute; all who ask at once wait for one call. */
const rates = new Map()
async function ratesOf(day) {
  const answer = await fetch(`${provider}/rates?day=${encodeURIComponent(day)}`, { signal: AbortSignal.timeout(3_000) })
  if (!answer.ok) throw new Error(`the provider answered ${answer.status}`)
  return answer.json()
}
app.get('/api/rates', signedIn, async (req, res) => {
  const day = String(req.query.day)
  const asked = rates.get(day) ?? ratesOf(day)
  rates.set(day, asked)
  const forget = () => rates.delete(day)
  asked.then(() => setTimeout(forget, 60_000).unref(), forget)
  res.json(await asked.catch((error) => Promise.reject(Object.assign(error, { status: 502 }))))
})

app.use((error, req, res, _next) => {
  const status = error.status ?? 500
  if (status >= 500) console.error(JSON.stringify({ level: 'error', path: req.path, error: error.message }))
  res.status(status).json({ error: status < 500 ? 'This request is not right' : 'Something went wrong' })
})

const server = app.listen(Number(setting('PORT')), '127.0.0.1')
process.on('SIGTERM', () => server.close(() => process.exit(0)))
process.on('SIGUSR1', () => undefined)
