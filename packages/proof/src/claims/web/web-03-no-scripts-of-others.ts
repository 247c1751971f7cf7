import type { Page } from 'playwright-core'
import { atLeast, defineClaim, exactly } from '../../claim.ts'
import { PASSWORD } from '../../rig/person.ts'
import { jpegPhoto } from '../../rig/photo.ts'
import { type PageWatch, plantedElements, plantInAnswers, watchPage } from '../../rig/planted-markup.ts'
import type { Rig } from '../../rig/rig.ts'
import type { Stack } from '../../rig/stack.ts'
import { keepKeyIn, openPage, operatorLink, signUpIn } from '../../rig/visitor.ts'
import { patch } from '../../sabotage.ts'

const MARK = `"'><img src=x onerror=alert(1)><svg onload=alert(2)>{{7*7}}`
const CODED = encodeURIComponent(MARK)
const paths = [
  '/cosnap',
  '/cosnap/gallery',
  '/cosnap/credits',
  '/operations',
  '/operations/recovery',
  '/members',
  '/settings/security',
  '/settings/keys',
  '/settings/activity',
  '/settings/privacy',
  `/settings/activity?action=${CODED}&kind=${CODED}`,
  `/${CODED}`,
  `/cosnap/photos/${CODED}`,
  `/cosnap#${MARK}`,
]
const nexts = [
  'javascript:alert(3)',
  'https://evil.example/',
  '//evil.example',
  '/\\evil.example',
  '\tjavascript:alert(4)',
  'data:text/html,<script>alert(5)</script>',
]

export const claim = defineClaim({
  id: 'WEB-03',
  says: 'Text with code in it is shown as text wherever it appears, no page breaks its own policy, and nothing is fetched from other hosts',
  answers: ['W9', 'H9', 'ASVS 1.2.1', 'ASVS 3.2.2', 'ASVS 3.4.3'],
  witness: 'Chromium',
  needs: ['chromium'],
  tier: 'full',
  seconds: 35,
  limits: {
    'dialogs opened by planted code': exactly(0, 'dialogs'),
    'violations of the policy': exactly(0, 'violations'),
    'pages where a script may write HTML': exactly(0, 'pages'),
    'foreign hosts': exactly(0, 'hosts'),
    'planted texts that became elements': exactly(0, 'elements'),
    'planted texts shown as text': atLeast(20, 'texts'),
  },
  experiment: async (rig) => {
    const stack = await rig.start()
    const page = await openPage(rig)
    const seen = watchPage(page)
    const photo = await plantPhoto(page, stack)
    let [elements, texts, pages, open] = [0, 0, 0, 0]
    const look = async (): Promise<void> => {
      await page.waitForLoadState('networkidle')
      elements += await plantedElements(page)
      texts += ((await page.locator('body').innerText()).match(/onerror=alert\(1\)/g) ?? []).length
      pages++
      open += (await mayWriteHtml(page)) ? 1 : 0
    }
    await look()
    await plantInAnswers(page, MARK)
    for (const path of [...paths, `${photo}?effect=${CODED}&strength=${CODED}`, photo]) {
      await page.goto(`${stack.url}${path}`)
      await look()
    }
    const arrivals = await comeBackTo(rig, stack, seen)
    return {
      measured: {
        'dialogs opened by planted code': seen.dialogs.length,
        // Each probe of ours that was refused is one.
        'violations of the policy': seen.violations.length - (pages - open),
        'pages where a script may write HTML': open,
        'foreign hosts': seen.hosts.size,
        'planted texts that became elements': elements,
        'planted texts shown as text': texts,
      },
      met: { 'every sign-in with a planted way back arrived': arrivals === nexts.length },
      evidence: [...seen.dialogs, ...seen.violations.slice(0, 10), ...seen.hosts],
    }
  },
  sabotages: [
    patch(
      'words are written as HTML and the policy allows it',
      'packages/platform/src/http/routes/web-pages.ts',
      "preparePage(html, {\n      ...securityHeaders(isHttps),\n      'content-security-policy': pagePolicy(html),",
      "preparePage(html.replace('</head>', '<script>setInterval(() => { for (const e of document.querySelectorAll(\"h1\")) if (!e.children.length && /onerror/.test(e.textContent)) e.innerHTML = e.textContent }, 20)</script></head>'), {\n      ...securityHeaders(isHttps),\n      'content-security-policy': \"default-src 'self' 'unsafe-inline' data: blob:\",",
    ),
    patch(
      'scripts may write HTML',
      'packages/platform/src/http/routes/web-pages.ts',
      '"require-trusted-types-for \'script\'",',
      '',
    ),
    patch(
      'a counter of visits of another company is on every page',
      'web/dist/index.html',
      '</head>',
      '<script async src="https://counter.example/count.js"></script></head>',
    ),
  ],
})

/** Makes an account, and uploads a photo whose name is code. */
async function plantPhoto(page: Page, stack: Stack): Promise<string> {
  await signUpIn(page, stack, operatorLink(stack))
  const buffer = Buffer.from(await jpegPhoto(640, 480))
  await page.getByTestId('photo-file').setInputFiles({ name: `${MARK}.jpg`, mimeType: 'image/jpeg', buffer })
  await page.getByRole('radio', { name: /Noir/ }).waitFor({ state: 'attached' })
  const { pathname } = new URL(page.url())
  await keepKeyIn(page, stack)
  await page.goto(`${stack.url}${pathname}`)
  return pathname
}

/** Signs in where the address says where to go afterwards; how often that was the studio. */
async function comeBackTo(rig: Rig, stack: Stack, seen: PageWatch): Promise<number> {
  const person = await stack.newcomer()
  const page = await openPage(rig)
  watchPage(page, seen)
  let arrivals = 0
  for (const next of nexts) {
    await page.context().clearCookies()
    await page.goto(`${stack.url}/sign-in?next=${encodeURIComponent(next)}`)
    await page.getByLabel('E-mail').fill(person.email)
    await page.getByLabel('Password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByRole('heading', { name: 'Start with a photo' }).waitFor()
    arrivals++
  }
  return arrivals
}

/** Tried on an element that is not in the page. */
const mayWriteHtml = (page: Page): Promise<boolean> =>
  page.evaluate(() => {
    try {
      document.createElement('div').innerHTML = '<b>x</b>'
      return true
    } catch {
      return false
    }
  })
