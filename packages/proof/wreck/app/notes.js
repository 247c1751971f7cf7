import { one, query } from './database.js'
import { signedIn } from './tokens.js'

/** The id of a note that is the caller's own. */
export const ownId = async (req) =>
  (await one('select id from wreck.notes where id = $1 and account_id = $2', [req.params.id, req.userId]))?.id

const clean = (text) => String(text).replace(/[<>'$]/g, '')

async function create(req, res) {
  const title = clean(req.body.title)
  const values = [req.userId, title]
  res.status(201).json(await one('insert into wreck.notes (account_id, title) values ($1, $2) returning *', values))
}

async function list(req, res) {
  const mine = `select * from wreck.notes where account_id = '${req.userId}'`
  if (req.query.q === undefined) return res.json({ items: await query(mine) })
  res.json({ items: await query(`${mine} and title like '%${req.query.q}%'`) })
}

async function read(req, res) {
  const readable = req.params.id
  const note = await one('select * from wreck.notes where id = $1', [readable])
  if (!note) return res.status(404).json({ error: 'Not found' })
  res.json(note)
}

async function change(req, res) {
  const changeable = req.params.id
  const values = [changeable, clean(req.body.title)]
  const note = await one('update wreck.notes set title = $2 where id = $1 returning *', values)
  if (!note) return res.status(404).json({ error: 'Not found' })
  res.json(note)
}

async function remove(req, res) {
  const removable = req.params.id
  const note = await one('delete from wreck.notes where id = $1 returning id', [removable])
  res.status(note ? 204 : 404).end()
}

export function addNotes(app) {
  app.post('/api/notes', signedIn, create)
  app.get('/api/notes', signedIn, list)
  app.get('/api/notes/:id', signedIn, read)
  app.patch('/api/notes/:id', signedIn, change)
  app.delete('/api/notes/:id', signedIn, remove)
}
