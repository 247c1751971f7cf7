import type { Page } from 'playwright-core'
import { atMost, defineClaim, exactly } from '../../claim.ts'
import { makeBadPages, scriptsOf } from '../../rig/bad-pages.ts'
import { onServer } from '../../rig/external.ts'
import { type Front, startFront } from '../../rig/front.ts'
import { openPage, signUpIn } from '../../rig/visitor.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const TOLD_MS = 30_000
const BACK_MS = 30_000

export const claim = defineClaim({
  id: 'DEP-07',
  says: 'A release whose pages are broken still gives every file of the release before, pages that people have open go on and say that there is another version, and with the old release started again a visitor has a page that works within 30 seconds',
  answers: ['V5', 'T6', 'S3'],
  witness: 'Chromium, two releases on one PostgreSQL',
  needs: ['chromium'],
  tier: 'full',
  seconds: 40,
  limits: {
    'files of the release before that are not given': exactly(0, 'files'),
    'pages that an old bundle could not open': exactly(0, 'pages'),
    'old pages that were not told': exactly(0, 'pages'),
    'reloads of a page that somebody uses': exactly(0, 'reloads'),
    'a visitor has a page that works again': atMost(BACK_MS, 'ms'),
  },
  experiment: async (rig) => {
    const server = await rig.start({ environment: { WORKER_PROCESSES: '0' } })
    const front = await startFront(rig)
    const settings = { ...onServer(await server.database('admin'), 'proof_pages'), PUBLIC_URL: front.url }
    const good = await rig.start({ environment: settings })
    front.leadTo(good.port)
    const page = await openPage(rig)
    await signUpIn(page, { ...good, url: front.url })
    const kept = watch(page)
    const files = scriptsOf(rig.product)

    const bad = makeBadPages(rig)
    const next = await bad.launch(settings)
    await next.ready()
    front.leadTo(next.port)
    await good.signal('supervisor', 'SIGTERM')
    await good.exited
    const [missing, gallery, told] = [
      await missingOf(front, files),
      await opens(page, 'Gallery', 'Nothing made yet'),
      await isTold(page, true),
    ]
    const visitor = await openPage(rig)
    await visitor.goto(`${front.url}/sign-in`)
    const isDead = await appears(visitor.getByText("This page's code could not be loaded.").waitFor())

    const startedAt = performance.now()
    await good.restart()
    front.leadTo(good.port)
    await visitor.goto(`${front.url}/sign-in`)
    const isBack = await appears(visitor.locator('#root:not([data-visitors])').waitFor())
    const backMs = performance.now() - startedAt
    const [credits, untold] = [await opens(page, 'Credits', 'Credits'), await isTold(page, false)]
    return {
      measured: {
        'files of the release before that are not given': missing.length,
        'pages that an old bundle could not open': [gallery, credits].filter((ok) => !ok).length,
        'old pages that were not told': [told, untold].filter((ok) => !ok).length,
        'reloads of a page that somebody uses': kept.loads(),
        'a visitor has a page that works again': isBack ? backMs : Number.POSITIVE_INFINITY,
      },
      met: {
        'the release with broken pages came to life for nobody': isDead,
        'it has none of the files of the release before': !scriptsOf(bad.product).some((name) => files.includes(name)),
        'an old bundle asked for code after the release': kept.scripts() > 0,
      },
      evidence: [
        `${files.length} scripts and styles, ${kept.scripts()} of them asked for by the open page`,
        ...missing.slice(0, 5),
        ...kept.errors.slice(0, 5),
      ],
    }
  },
  sabotages: [
    patch(
      'what another release has kept is not given',
      'packages/platform/src/assets/kept-assets.ts',
      'if (!type || !(await names.has(name))) return undefined',
      'if (type) return undefined',
    ),
    patch(
      'nobody is told that there is another version',
      'packages/platform/src/realtime/drivers/socket-io.ts',
      "if (settings.webBuild) socket.emit('build', settings.webBuild)",
      '',
    ),
  ],
})

/** What a page asks for and what goes wrong on it, from now on. */
function watch(page: Page) {
  let [loads, scripts] = [0, 0]
  const errors: string[] = []
  page.on('pageerror', ({ message }) => errors.push(message))
  page.on('response', (response) => {
    if (response.request().isNavigationRequest()) loads++
    if (response.url().includes('/assets/') && response.url().endsWith('.js')) scripts++
  })
  return { loads: () => loads, scripts: () => scripts, errors }
}

/** Asked for as a browser does, and given as what they are. */
async function missingOf(front: Front, files: readonly string[]): Promise<string[]> {
  const missing: string[] = []
  for (const name of files) {
    const response = await fetch(`${front.url}/assets/${name}`)
    const type = response.headers.get('content-type') ?? ''
    const isIt = type.startsWith(name.endsWith('.js') ? 'text/javascript' : 'text/css')
    const isCached = (response.headers.get('cache-control') ?? '').includes('immutable')
    if (!response.ok || !isIt || !isCached || !(await response.text()))
      missing.push(`${response.status} ${type} ${name}`)
  }
  return missing
}

async function opens(page: Page, link: string, heading: string): Promise<boolean> {
  await page.getByRole('link', { name: link }).click()
  return appears(page.getByRole('heading', { name: heading }).waitFor())
}

const isTold = (page: Page, isOther: boolean): Promise<boolean> =>
  until(
    isOther ? 'it is told of another version' : 'it is of this version again',
    async () => (await page.getByText('A new version is ready.').count()) === (isOther ? 1 : 0),
    TOLD_MS,
  ).then(
    () => true,
    () => false,
  )

const appears = (what: Promise<void>): Promise<boolean> =>
  what.then(
    () => true,
    () => false,
  )
