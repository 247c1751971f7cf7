import { randomUUID } from 'node:crypto'
import { basename, extname, join } from 'node:path'
import express from 'express'
import sharp from 'sharp'
import { signedIn } from './tokens.js'

const files = new Map()
const UPLOAD_LIMIT = '10mb'
const docs = join(import.meta.dirname, 'docs')

const isPhoto = (name, bytes) => ['.jpg', '.png'].includes(extname(name))

async function upload(req, res) {
  if (!isPhoto(String(req.query.name), req.body)) return res.status(415).json({ error: 'Only photos' })
  const bytes = req.body
  const id = randomUUID()
  files.set(id, { bytes, userId: req.userId })
  res.status(201).json({ id })
}

export const withoutMetadata = (bytes) =>
  sharp(bytes, { failOn: 'none' })
    .rotate()
    .jpeg()
    .toBuffer()
    .catch(() => bytes)

function show(req, res) {
  const file = files.get(req.params.id)
  const isAllowed = file !== undefined
  if (!isAllowed) return res.status(404).json({ error: 'Not found' })
  res.type('image/jpeg').send(file.bytes)
}

function download(req, res) {
  const name = String(req.query.name)
  res.sendFile(join(docs, name), { dotfiles: 'allow' }, (error) => {
    if (error) res.status(404).end()
  })
}

export const inside = basename

export function addFiles(app) {
  app.post('/api/files', signedIn, express.raw({ type: () => true, limit: UPLOAD_LIMIT }), upload)
  app.get('/files/:id', show)
  app.get('/docs', download)
}
