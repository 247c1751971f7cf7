const kept = new Map()
const under = new Map()

/** Keeps answers. */
export function cached(req, res, next) {
  const key = req.originalUrl
  if (kept.has(key)) return res.json(kept.get(key))
  const json = res.json.bind(res)
  res.json = (body) => {
    const isWorthKeeping = res.statusCode > 0
    if (isWorthKeeping) kept.set(key, body)
    return json(body)
  }
  next()
}

/** One work for all who want the same now. */
export function together(key, work) {
  if (!under.has(key))
    under.set(
      key,
      work().finally(() => under.delete(key)),
    )
  return under.get(key)
}
