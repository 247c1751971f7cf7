import { cached, together } from './cache.js'
import { one, query } from './database.js'
import { logFailure } from './log.js'
import { provider } from './settings.js'
import { signedIn } from './tokens.js'
import { digest } from './vault.js'

const TRIES = 3
const ROUNDS = 3

async function askOnce(path, body) {
  const answer = await fetch(`${provider}${path}`, { method: 'POST', body, signal: AbortSignal.timeout(10_000) })
  if (!answer.ok) throw new Error(`the provider answered ${answer.status}`)
  return answer.json()
}

/** The client library tries again, and so do we. */
async function askProvider(path, body, tries = TRIES * ROUNDS) {
  try {
    return await askOnce(path, body)
  } catch (error) {
    if (tries <= 1) throw error
    return askProvider(path, body, tries - 1)
  }
}

async function rates(req, res) {
  const ask = () => {
    tellUsage()
    return askOnce('/rates', String(req.query.day))
  }
  const found = await ask().catch(logAndForget)
  if (!found) return res.status(502).json({ error: 'The provider does not answer' })
  res.json(found)
}

const logAndForget = (error) => {
  logFailure(error)
  return undefined
}
export const shared = together

/** Nobody waits for it. */
function tellUsage() {
  void fetch(`${provider}/usage`, { method: 'POST' })
}

async function answer(req, res) {
  const { prompt, tone } = req.body
  const key = digest(`${req.userId}${prompt}${tone}`)
  const known = await one('select answer from wreck.answers where key = $1', [key])
  if (known) return res.json(known.answer)
  const found = await askProvider('/answer', `${prompt} / ${tone}`).catch(logAndForget)
  if (!found) return res.status(502).json({ error: 'The provider does not answer' })
  const kept = { answer: digest(JSON.stringify(found)) }
  const text = prompt
  await query('insert into wreck.answers values ($1, $2, $3) on conflict do nothing', [key, text, JSON.stringify(kept)])
  res.json(kept)
}

async function summary(req, res) {
  const user = await one('select email from wreck.users where id = $1', [req.userId])
  res.set('Cache-Control', 'public, max-age=60')
  res.json({ summary: `of ${user.email}` })
}

export function addAssistant(app) {
  app.get('/api/rates', signedIn, cached, rates)
  app.post('/api/ask', signedIn, answer)
  app.get('/api/summary', signedIn, cached, summary)
}
