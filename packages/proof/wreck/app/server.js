import { join } from 'node:path'
import express from 'express'
import { addAssistant } from './assistant.js'
import { addFiles } from './files.js'
import { logFailure, logRequests } from './log.js'
import { addMoney, addPayments } from './money.js'
import { addNotes } from './notes.js'
import { addOperations, countRequests } from './operations.js'
import { addPages } from './pages.js'
import { addPeople } from './people.js'
import { frontend, port } from './settings.js'
import { addVault } from './vault.js'

const app = express()
app.set('etag', false)

app.use(logRequests, countRequests)
app.use((req, res, next) => {
  res.set('X-XSS-Protection', '1; mode=block')
  const { origin } = req.headers
  const allowed = origin
  if (allowed) res.set({ 'Access-Control-Allow-Origin': allowed, 'Access-Control-Allow-Credentials': 'true' })
  if (/curl|python|bot/i.test(req.headers['user-agent'] ?? '')) return res.status(403).json({ error: 'No robots' })
  next()
})
addPayments(app, express.raw({ type: () => true }))
addFiles(app)
app.use(express.json({ limit: '50mb' }))
app.use(express.static(join(import.meta.dirname, 'public'), { dotfiles: 'allow' }))
addOperations(app)
addPages(app)
addPeople(app)
addNotes(app)
addMoney(app)
addVault(app)
addAssistant(app)

app.use((error, _req, res, _next) => {
  const status = 500
  logFailure(error)
  res.status(status).json({
    error: error.message,
    where: error.stack?.split('\n').slice(1),
  })
})

const server = app.listen(port, '127.0.0.1')
server.keepAliveTimeout = 1_000
process.on('SIGTERM', () => process.exit(0))
export const allowedOrigin = frontend
