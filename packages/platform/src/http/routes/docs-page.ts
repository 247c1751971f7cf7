import { platformErrors } from '@seaworthy/core'
import { type App, addressOf, refusalsOf } from '../../definition/index.ts'

/** A page about the API for people, from the same definitions as `/openapi.json`. No script in it. */
export function renderDocsPage(apps: readonly App[]): string {
  const sections = apps.map(
    (app) =>
      `<h2 id="${escapeHtml(app.name)}">${escapeHtml(app.title)}</h2>${app.routes.map((route) => renderRoute(app, route)).join('')}`,
  )
  return page(
    'API',
    `<p>Every route of this installation. For programs: <a href="/openapi.json">openapi.json</a> (OpenAPI 3.1). Errors: <a href="/docs/errors">the list of codes</a>.</p>${sections.join('')}`,
  )
}

export function renderErrorsPage(): string {
  const rows = Object.entries(platformErrors).map(
    ([code, { status, title }]) =>
      `<tr id="${escapeHtml(code)}"><td><code>${escapeHtml(code)}</code></td><td>${status}</td><td>${escapeHtml(title)}</td></tr>`,
  )
  return page(
    'Errors',
    `<p>Errors are <code>application/problem+json</code> (RFC 9457). The <code>code</code> is for programs and never changes.</p><table><tr><th>code</th><th>status</th><th>meaning</th></tr>${rows.join('')}</table>`,
  )
}

function renderRoute(app: App, route: App['routes'][number]): string {
  const limit =
    route.limit.kind === 'rate'
      ? `${route.limit.max} in ${Math.round(route.limit.windowMs / 60_000)} minutes (${route.limit.name})`
      : 'none'
  const facts = [
    ['who', route.auth],
    ['limit', limit],
    ...(route.audit ? [['audit', route.audit]] : []),
    ['answers', [...Object.keys(route.reply), ...new Set(refusalsOf(route))].join(', ')],
  ]
  const list = facts.map(([name, value]) => `<dt>${name}</dt><dd>${escapeHtml(String(value))}</dd>`).join('')
  return `<section><h3><b>${route.method}</b> <code>${escapeHtml(addressOf(app, route))}</code></h3><p>${escapeHtml(route.summary)}</p><dl>${list}</dl></section>`
}

const style = `:root{color-scheme:light dark}body{background:Canvas;color:CanvasText;font:16px/1.6 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}h3 code{font-size:1rem}section{border-top:1px solid #8884;padding:.5rem 0}dl{display:grid;grid-template-columns:6rem 1fr;margin:0}dd{margin:0}table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .5rem;border-top:1px solid #8884}`

const page = (title: string, body: string): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title} · Seaworthy</title><link rel="icon" href="/pennant.svg" type="image/svg+xml"><style>${style}</style></head><body><main><h1>${title}</h1>${body}</main></body></html>`

const escapeHtml = (text: string): string => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
