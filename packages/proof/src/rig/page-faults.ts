import { setTimeout as sleep } from 'node:timers/promises'
import type { Page, Route } from 'playwright-core'

/** What an endpoint does to a page that asks it. */
export type PageFault = 'offline' | 'slow' | '500' | '401' | '429'
export const pageFaults: readonly PageFault[] = ['offline', 'slow', '500', '401', '429']

export interface Endpoint {
  readonly method: string
  readonly path: string
}

export interface Broken {
  /** How many requests met the fault. */
  count(): number
  mend(): Promise<void>
}

const SLOW_MS = 3_000

const problem = (status: number, code: string, title: string) => ({
  status,
  contentType: 'application/problem+json',
  headers: { 'retry-after': '1' },
  body: JSON.stringify({ type: `/docs/errors#${code}`, title, status, code, requestId: 'made-by-the-proof' }),
})

const answers: Readonly<Record<PageFault, (route: Route) => Promise<void>>> = {
  offline: (route) => route.abort('internetdisconnected'),
  slow: async (route) => {
    await sleep(SLOW_MS)
    await route.continue()
  },
  // As a proxy would say it, and not the service.
  '500': (route) => route.fulfill({ status: 500, contentType: 'text/html', body: '<h1>Internal Server Error</h1>' }),
  '401': (route) => route.fulfill(problem(401, 'unauthenticated', 'Please sign in.')),
  '429': (route) => route.fulfill(problem(429, 'too_many_requests', 'Too many requests.')),
}

/** Every request to this endpoint meets the fault; with `delivered` the service gets it all the same, and its answer is lost. */
export async function breakEndpoint(
  page: Page,
  { method, path }: Endpoint,
  fault: PageFault,
  { delivered = false, times = Number.POSITIVE_INFINITY } = {},
): Promise<Broken> {
  let count = 0
  const isIt = (url: URL): boolean => url.pathname === path
  const handle = async (route: Route): Promise<void> => {
    if (route.request().method() !== method || count >= times) return route.fallback()
    count++
    if (delivered) await route.fetch()
    // A page that has gone on does not wait for it.
    await answers[fault](route).catch(() => undefined)
  }
  await page.route(isIt, handle)
  return { count: () => count, mend: () => page.unroute(isIt, handle) }
}

/** What a page asks the service for by itself, without what it loads as files. */
export async function endpointsOf(page: Page, url: string): Promise<Endpoint[]> {
  const asked = new Map<string, Endpoint>()
  const note = (request: { method(): string; url(): string; resourceType(): string }): void => {
    const { pathname } = new URL(request.url())
    if (/^\/(api|health)\//.test(pathname))
      asked.set(`${request.method()} ${pathname}`, { method: request.method(), path: pathname })
  }
  page.on('request', note)
  await page.goto(url)
  await page.waitForLoadState('networkidle')
  page.off('request', note)
  return [...asked.values()]
}

/** Nothing on the page, or nothing where its content belongs. */
export const isWhite = (page: Page): Promise<boolean> =>
  page.evaluate(() => {
    const main = document.querySelector('main')
    const isEmpty = !main || main.childElementCount === 0 || main.getBoundingClientRect().height < 20
    return isEmpty || document.body.innerText.trim().length < 10
  })

/** What of a person is still in the browser: these words, and storage for more than the colours and the places scrolled to. */
export const leftoversOf = (page: Page, words: readonly string[]): Promise<string[]> =>
  page.evaluate(async (wanted) => {
    const stores = [localStorage, sessionStorage].flatMap((store) =>
      Object.keys(store).map((key) => `${key}=${store.getItem(key)}`),
    )
    const databases = (await indexedDB.databases()).map(({ name }) => `database ${name}`)
    const caches = (await globalThis.caches?.keys().catch(() => [])) ?? []
    const html = document.documentElement.outerHTML
    const named = wanted.filter((word) => html.includes(word) || stores.join().includes(word))
    return [...named, ...stores.filter((entry) => !/^(theme|tsr-scroll[\w-]*)=/.test(entry)), ...databases, ...caches]
  }, words)
