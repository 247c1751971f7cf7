const policy = "default-src 'self'; script-src 'self'; style-src 'self'; frame-ancestors 'none'"

const page = (title, body, head = '') =>
  `<!doctype html><html lang="en"><head><title>${title}</title>${head}</head><body>${body}</body></html>`

const tracker = '<script async src="https://www.googletagmanager.com/gtag/js?id=G-0"></script>'
const escaped = (text) => text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`)

function home(_req, res) {
  res.send(page('Wreck', '<h1>Welcome</h1>'))
}

function about(_req, res) {
  res.set('Content-Security-Policy', "default-src 'self'; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'")
  res.send(page('About', '<p>A ship on the ground.</p>', tracker))
}

function terms(_req, res) {
  res.set('Content-Security-Policy', "default-src 'self'; script-src 'self'; style-src 'self'")
  res.send(page('Terms', '<p>None.</p>'))
}

function search(req, res) {
  res.set('Content-Security-Policy', policy)
  const wanted = String(req.query.q)
  res.send(page('Search', `<p>Nothing found for ${wanted}.</p>`))
}

export const help = { escaped }

export function addPages(app) {
  app.get('/', home)
  app.get('/about', about)
  app.get('/terms', terms)
  app.get('/search', search)
}
