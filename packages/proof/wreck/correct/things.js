import { createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import express from 'express'
import sharp from 'sharp'
import { signedIn } from './people.js'
import { query, queryAs, seal, setting, sha256, unseal } from './support.js'

const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/
const folder = join(setting('FILES'))
mkdirSync(folder, { recursive: true })
const webhookSecret = setting('WEBHOOK_SECRET')

function addNotes(app) {
  const answer = (res, [note]) => (note ? res.json(note) : res.status(404).json({ error: 'Not found' }))
  app.param('id', (_req, res, next, id) => (uuid.test(id) ? next() : res.status(404).json({ error: 'Not found' })))
  app.post('/api/notes', signedIn, async (req, res) => {
    const text = 'insert into shop.notes (account_id, title) values ($1, $2) returning id, title'
    const [note] = await queryAs(req.personId, text, [req.personId, String(req.body?.title)])
    res.status(201).json(note)
  })
  app.get('/api/notes', signedIn, async (req, res) => {
    const text = 'select id, title from shop.notes where position($1 in title) > 0'
    res.json({ items: await queryAs(req.personId, text, [String(req.query.q ?? '')]) })
  })
  app.get('/api/notes/:id', signedIn, async (req, res) =>
    answer(res, await queryAs(req.personId, 'select id, title from shop.notes where id = $1', [req.params.id])),
  )
  app.patch('/api/notes/:id', signedIn, async (req, res) => {
    const text = 'update shop.notes set title = $2, updated_at = now() where id = $1 returning id, title'
    answer(res, await queryAs(req.personId, text, [req.params.id, String(req.body?.title)]))
  })
  app.delete('/api/notes/:id', signedIn, async (req, res) =>
    answer(res, await queryAs(req.personId, 'delete from shop.notes where id = $1 returning id', [req.params.id])),
  )
}

function addMoney(app) {
  app.post('/api/usage', signedIn, async (req, res) => {
    const { amount } = req.body ?? {}
    const key = req.headers['idempotency-key']
    if (!Number.isInteger(amount) || amount <= 0 || !key) return res.status(400).json({ error: 'Amount and key' })
    const text =
      'insert into shop.usage (person_id, amount, idempotency_key) values ($1, $2, $3) on conflict do nothing'
    await query(text, [req.personId, amount, key])
    res.json({ ok: true })
  })
  app.get('/api/usage', signedIn, async (req, res) =>
    res.json({ items: await query('select amount from shop.usage where person_id = $1', [req.personId]) }),
  )
  app.get('/api/credits', signedIn, async (req, res) =>
    res.json((await query('select credits from shop.people where id = $1', [req.personId]))[0]),
  )
}

/** Before the JSON parser: the signature is over the bytes. */
export function addPayments(app) {
  app.post('/webhooks/payment', express.raw({ type: () => true, limit: '100kb' }), async (req, res) => {
    const [, time, given] = /^t=(\d+),v1=([\da-f]{64})$/.exec(req.headers['x-signature'] ?? '') ?? []
    const wanted = createHmac('sha256', webhookSecret).update(`${time}.${req.body}`).digest()
    const isFresh = Math.abs(Date.now() / 1_000 - Number(time)) < 300
    if (!isFresh || !timingSafeEqual(wanted, Buffer.from(given, 'hex')))
      return res.status(400).json({ error: 'Signature' })
    const { id, account, credits } = JSON.parse(req.body)
    const text = `with first as (insert into shop.payment_events (id) values ($1) on conflict do nothing returning id)
      update shop.people set credits = credits + $3 where id = $2 and exists (select from first)`
    await query(text, [id, account, credits])
    res.json({ ok: true })
  })
}

function addSecrets(app) {
  app.put('/api/provider-key', signedIn, async (req, res) => {
    const sealed = seal(String(req.body?.secret), req.personId)
    await query('update shop.people set provider_key = $2 where id = $1', [req.personId, sealed])
    res.json({ ok: true })
  })
  app.get('/api/provider-key', signedIn, async (req, res) => {
    const [row] = await query('select provider_key from shop.people where id = $1', [req.personId])
    res.json({ secret: unseal(row.provider_key, req.personId) })
  })
  app.post('/api/keys', signedIn, async (req, res) => {
    const key = `shop_${randomBytes(24).toString('hex')}`
    await query('insert into shop.api_keys values ($1, $2)', [sha256(key), req.personId])
    res.status(201).json({ key })
  })
}

/** Before the JSON parser. A file lies under a name of ours, beside it whose it is in the name itself. */
export function addFiles(app) {
  const pathOf = (id, personId) => join(folder, `${personId}-${id}.jpg`)
  app.post('/api/photos', signedIn, express.raw({ type: () => true, limit: '13mb' }), async (req, res) => {
    const photo = await sharp(req.body, { failOn: 'none' })
      .rotate()
      .jpeg()
      .toBuffer()
      .catch(() => undefined)
    if (!photo) return res.status(415).json({ error: 'Only photos' })
    const id = randomUUID()
    await writeFile(pathOf(id, req.personId), photo)
    res.status(201).json({ id })
  })
  app.get('/api/photos/:id', signedIn, async (req, res) => {
    const photo =
      uuid.test(req.params.id) && (await readFile(pathOf(req.params.id, req.personId)).catch(() => undefined))
    if (!photo) return res.status(404).json({ error: 'Not found' })
    res.type('image/jpeg').send(photo)
  })
}

export function addThings(app) {
  addNotes(app)
  addMoney(app)
  addSecrets(app)
}
