// The last step of the build of the web: Vite's index.html becomes the shell, with its styles in it, and beside it every page
// that `web/src/prerender.tsx` can make ahead, so that people see it before any script has come. Run by scripts/build.js.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const web = join(dirname(fileURLToPath(import.meta.url)), '..', 'web')
const dist = join(web, 'dist')
const renderer = join(dist, '.prerender')
const manifest = JSON.parse(read('.vite/manifest.json'))

const shell = withBuild(withStyles(read('index.html')))
writeFileSync(join(dist, 'index.html'), shell)
const { prerenderPages } = await import(pathToFileURL(join(renderer, 'prerender.js')).href)
for (const page of await prerenderPages()) {
  const file = join(dist, 'pages', `${page.path === '/' ? 'index' : page.path.slice(1)}.html`)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, pageOf(page))
}
rmSync(renderer, { recursive: true })

/** A style sheet beside the page would be waited for. The font is asked for at once, or it would come after the words. */
function withStyles(html) {
  return once(html, /<link rel="stylesheet"[^>]*href="\/(assets\/[^"]+)">/, (_, file) => {
    const styles = read(file).trim()
    const font = /url\("?(\/assets\/[^)"]+\.woff2)"?\)/.exec(styles)?.[1]
    return `<link rel="preload" as="font" type="font/woff2" crossorigin href="${font}">\n    <style>${styles}</style>`
  })
}

/** By this a page knows whether it is of the release that answers. It changes when anything does that a page loads. */
function withBuild(html) {
  const build = createHash('sha256').update(html).digest('base64url').slice(0, 12)
  return once(html, '</title>', () => `</title>\n    <meta name="build" content="${build}">`)
}

function pageOf({ path, title, visitors, code, markup }) {
  // The parser finds the same pictures in the markup.
  const body = markup.replace(/^(<link rel="preload"[^>]*>)+/, '')
  const inline = / style="|<script/.exec(body)
  if (inline) throw new Error(`${path} holds ${inline[0].trim()}, which the policy of our pages forbids`)
  let html = once(shell, /<title>[^<]*<\/title>/, () => `<title>${title}</title>`)
  if (code) html = withCodeOf(html, code)
  // Nothing can be done on a page that will be replaced, and nobody should hear it twice.
  const still = visitors === 'in' ? ' inert aria-hidden="true"' : ''
  html = once(html, '<div id="root"></div>', () => `<div id="root" data-visitors="${visitors}"${still}>${body}</div>`)
  // Whoever is signed in waits for their things, and those for the scripts; everybody else has all there is to see.
  return withLateScripts(html, visitors !== 'in')
}

/** The page's own scripts are asked for beside the first ones, and its styles are in it. */
function withCodeOf(html, code) {
  const key = Object.keys(manifest).find((name) => manifest[name].isDynamicEntry && manifest[name].name === code)
  if (!key) throw new Error(`${code} is not the name of a page's file`)
  const chunks = [...chunksOf(key)]
  const scripts = chunks.map((chunk) => chunk.file).filter((file) => !html.includes(file))
  const styles = [...new Set(chunks.flatMap((chunk) => chunk.css ?? []))].filter(
    (file) => !html.includes(read(file).trim()),
  )
  const tags = [
    ...scripts.map((file) => `<link rel="modulepreload" crossorigin href="/${file}">`),
    ...styles.map((file) => `<style>${read(file).trim()}</style>`),
    // Vite's loader fetches a style sheet that it does not find in the page; `disabled`, the browser does not.
    ...styles.map((file) => `<link rel="stylesheet" disabled href="/${file}">`),
  ]
  return once(html, '</head>', () => `${tags.map((tag) => `  ${tag}\n  `).join('')}</head>`)
}

function chunksOf(key, found = new Set()) {
  if (found.has(manifest[key])) return found
  found.add(manifest[key])
  for (const other of manifest[key].imports ?? []) chunksOf(other, found)
  return found
}

/** `web/late.js` instead of the scripts that it asks for. */
function withLateScripts(html, isComplete) {
  const preloads = [...html.matchAll(/\s*<link rel="modulepreload"[^>]*href="([^"]+)">/g)]
  const entry = /\s*<script type="module"[^>]*src="([^"]+)"><\/script>/
  const late = readFileSync(join(web, 'late.js'), 'utf8')
    .replace(/^\s*\/\/.*\n/gm, '')
    .replace(/^\s+/gm, '')
    .replace('COMPLETE', String(isComplete))
    .replace('PRELOADS', () => JSON.stringify(preloads.map(([, href]) => href)))
    .replace('ENTRY', () => JSON.stringify(entry.exec(html)?.[1]))
  for (const [tag] of preloads) html = html.replace(tag, '')
  return once(
    once(html, entry, () => ''),
    '</head>',
    () => `  <script>${late.trim()}</script>\n  </head>`,
  )
}

function read(file) {
  return readFileSync(join(dist, file), 'utf8')
}

function once(text, what, replacement) {
  const changed = text.replace(what, replacement)
  if (changed === text) throw new Error(`the page that Vite made has no ${what}`)
  return changed
}
