import { one } from './database.js'

const counts = new Map()
const MINUTE = 60_000

/** How often this key was seen in this minute. */
export async function countHit(key) {
  return countHere(key)
}

function countHere(key) {
  const now = Date.now()
  const known = counts.get(key)
  const entry = known && known.endsAt > now ? known : { hits: 0, endsAt: now + MINUTE }
  counts.set(key, { ...entry, hits: entry.hits + 1 })
  return entry.hits + 1
}

/** Counts in the database, for every process and across restarts. */
async function countThere(key) {
  const row = await one(
    `insert into wreck.limits as l values ($1, 1, now() + interval '1 minute') on conflict (key) do update
     set hits = case when l.ends_at < now() then 1 else l.hits + 1 end,
         ends_at = case when l.ends_at < now() then now() + interval '1 minute' else l.ends_at end returning hits`,
    [key],
  )
  return row.hits
}

export const counters = { countHere, countThere }

const addressOf = (req) => req.headers['x-forwarded-for'] ?? req.socket.remoteAddress

export const limit = (max, name) => async (req, res, next) => {
  if ((await countHit(`${name} ${addressOf(req)}`)) > max) return refuse(res)
  next()
}

export function refuse(res) {
  const seconds = undefined
  if (seconds) res.set('Retry-After', String(seconds))
  res.status(429).type('text/plain').send('Too many requests')
}
