import type { Browser, Page, Request } from 'playwright-core'
import { atMost, defineClaim, exactly } from '../../claim.ts'
import { openPage, operatorLink, signUpIn, uploadIn } from '../../rig/visitor.ts'
import { patch } from '../../sabotage.ts'

const YEAR_SECONDS = 31_536_000
const signedOut = ['/', '/sign-in', '/sign-up']
const signedIn = [
  '/cosnap',
  '/cosnap/gallery',
  '/cosnap/credits',
  '/operations',
  '/members',
  '/settings/security',
  '/settings/keys',
  '/settings/activity',
  '/settings/privacy',
]

export const claim = defineClaim({
  id: 'WEB-04',
  says: 'The first visit of any page shows it after at most 120 KB of JavaScript, and what has a hash in its name is kept for a year',
  answers: ['W4', 'W5', 'C6'],
  witness: 'Chromium',
  needs: ['chromium'],
  tier: 'full',
  seconds: 30,
  limits: {
    'most JavaScript that a page waits for': atMost(120, 'KB'),
    'most JavaScript of a page, live events included': atMost(140, 'KB'),
    'assets that are not kept for a year': exactly(0, 'assets'),
    'assets without a hash in their name': exactly(0, 'assets'),
    'scripts sent without Brotli': exactly(0, 'scripts'),
    'assets fetched twice by a page': exactly(0, 'assets'),
  },
  experiment: async (rig) => {
    const stack = await rig.start()
    const browser = await rig.browser()
    const loads = []
    for (const path of signedOut) loads.push(await load(browser, stack.url, path))
    const page = await openPage(rig)
    await signUpIn(page, stack, operatorLink(stack))
    await uploadIn(rig, page)
    const state = await page.context().storageState()
    const photo = new URL(page.url()).pathname
    // Each visit renews the session's cookie, so the state goes from one to the next.
    for (const path of [...signedIn, photo]) loads.push(await load(browser, stack.url, path, state))
    const assets = loads.flatMap((one) => one.assets)
    const scripts = assets.filter((asset) => asset.path.endsWith('.js'))
    const loose = assets.filter((asset) => !isKept(asset.cacheControl))
    const nameless = assets.filter((asset) => !/-[\w-]{8}\.\w+$/.test(asset.path))
    const twice = loads.flatMap((one) => {
      const all = one.assets.map((asset) => asset.path)
      return all.filter((path, i) => all.indexOf(path) !== i)
    })
    return {
      measured: {
        'most JavaScript that a page waits for': Math.max(...loads.map((one) => one.firstKilobytes)),
        'most JavaScript of a page, live events included': Math.max(...loads.map((one) => one.kilobytes)),
        'assets that are not kept for a year': loose.length,
        'assets without a hash in their name': nameless.length,
        'scripts sent without Brotli': scripts.filter(({ encoding, bytes }) => encoding !== 'br' && bytes > 1_000)
          .length,
        'assets fetched twice by a page': twice.length,
      },
      met: {
        'every page loaded scripts and styles': loads.every((one) => one.assets.length >= 3 && one.kilobytes > 10),
        'each showed a heading of its own': new Set(loads.map((one) => one.heading)).size === loads.length,
      },
      evidence: [
        ...loads
          .toSorted((one, other) => other.firstKilobytes - one.firstKilobytes)
          .map(
            (one) =>
              `${one.path.slice(0, 20)} "${one.heading}": ${one.firstKilobytes.toFixed(1)} of ${one.kilobytes.toFixed(1)} KB`,
          ),
        ...twice.slice(0, 3).map((path) => `twice: ${path}`),
        ...[...loose, ...nameless].slice(0, 5).map((asset) => `${asset.path}: ${asset.cacheControl}`),
      ],
    }
  },
  sabotages: [
    patch(
      'a library that no page needs is loaded with the first one',
      'web/dist/assets/rolldown-runtime-*.js',
      'export{',
      `export const unused=\`${incompressible(90_000)}\`;export{`,
    ),
    patch(
      'assets are asked for again each time',
      'packages/platform/src/http/headers.ts',
      'public, max-age=31536000, immutable',
      'public, max-age=0',
    ),
  ],
})

interface Asset {
  readonly path: string
  readonly bytes: number
  readonly encoding: string
  readonly cacheControl: string
}

type StorageState = Awaited<ReturnType<ReturnType<Page['context']>['storageState']>>

/** With an empty cache, as on the first visit. */
async function load(browser: Browser, url: string, path: string, storageState?: StorageState) {
  const context = await browser.newContext(storageState ? { storageState } : {})
  const page = await context.newPage()
  const asked: Request[] = []
  page.on('requestfinished', (request) => asked.push(request))
  // What is needed to show the page is there when the page asks for its data; the rest comes while it waits for them.
  const needed = new Set<string>()
  let asksForData = false
  page.on('request', (request) => {
    const { pathname } = new URL(request.url())
    asksForData ||= /^\/(api|health)\//.test(pathname) && pathname !== '/api/identity/refresh'
    if (!asksForData) needed.add(pathname)
  })
  await page.goto(`${url}${path}`)
  await page.locator('h1').first().waitFor()
  await page.waitForLoadState('networkidle')
  const heading = await page.locator('h1').first().innerText()
  const assets = await Promise.all(asked.filter((request) => request.url().includes('/assets/')).map(readAsset))
  if (storageState) storageState.cookies = (await context.storageState()).cookies
  await context.close()
  const scripts = assets.filter((asset) => asset.path.endsWith('.js'))
  const first = scripts.filter((script) => needed.has(script.path))
  return { path, heading, assets, kilobytes: kilobytesOf(scripts), firstKilobytes: kilobytesOf(first) }
}

const kilobytesOf = (assets: readonly Asset[]): number => assets.reduce((sum, asset) => sum + asset.bytes, 0) / 1_000

async function readAsset(request: Request): Promise<Asset> {
  const headers = (await (await request.response())?.allHeaders()) ?? {}
  return {
    path: new URL(request.url()).pathname,
    bytes: (await request.sizes()).responseBodySize,
    encoding: headers['content-encoding'] ?? '',
    cacheControl: headers['cache-control'] ?? '',
  }
}

const isKept = (cacheControl: string): boolean =>
  cacheControl.includes('immutable') && Number(/max-age=(\d+)/.exec(cacheControl)?.[1]) >= YEAR_SECONDS

/** Text that no compression makes much smaller, the same every time. */
function incompressible(length: number): string {
  let state = 1
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return ((state >>> 16) % 36).toString(36)
  }).join('')
}
