import type { Page } from 'playwright-core'
import { atLeast, defineClaim, exactly } from '../../claim.ts'
import { documentedRoutes } from '../../rig/api-document.ts'
import { addressOf, requestOf } from '../../rig/documented-requests.ts'
import { countedInDatabase, makeLimitsEndless } from '../../rig/endless-limits.ts'
import { switchTo } from '../../rig/office.ts'
import { jsonBody, PASSWORD, type Person, signIn } from '../../rig/person.ts'
import { jpegPhoto, uploadPhoto } from '../../rig/photo.ts'
import { plantedElements, plantInAnswers, watchPage } from '../../rig/planted-markup.ts'
import type { Rig } from '../../rig/rig.ts'
import type { Stack } from '../../rig/stack.ts'
import { openPage, operatorLink, signUpIn } from '../../rig/visitor.ts'
import { scanForScripts } from '../../rig/wapiti.ts'
import { patch } from '../../sabotage.ts'

const MAIL = 'planter@example.com'
/** Short enough for every field, and another one in each. */
const markFor = (field: string): string => `<img src=x onerror=alert('${field}')>`
const stored = ['photo', 'office', 'key', 'phone']
const queries = '?q=boat&next=boat&token=boat&effect=boat'
const openPages = [
  '/',
  '/docs',
  '/docs/errors',
  '/sign-in',
  '/sign-up',
  '/forgot',
  '/reset',
  '/verify',
  '/join',
  '/boat',
]
const SCAN_SECONDS = 60

export const claim = defineClaim({
  id: 'INP-02',
  says: 'wapiti finds no cross-site scripting, reflected or stored, in the queries of any page or readable route; and code that is really stored as the name of a photo, account, key or device, or stands in any other word of settings, members, invitations, flags, mail and operations, is shown as text and never run',
  answers: ['H11', 'W9', 'ASVS 1.1.2', 'ASVS 1.2.1', 'ASVS 3.2.2'],
  witness: 'wapiti (xss, permanentxss) and Chromium',
  needs: ['wapiti', 'chromium'],
  tier: 'full',
  seconds: 40,
  limits: {
    'findings of wapiti': exactly(0, 'findings'),
    'dialogs opened by planted code': exactly(0, 'dialogs'),
    'planted texts that became elements': exactly(0, 'elements'),
    'stored texts that were shown': exactly(stored.length, 'texts'),
    'planted texts shown as text': atLeast(40, 'texts'),
  },
  experiment: async (rig) => {
    const stack = await rig.start({ environment: countedInDatabase })
    await makeLimitsEndless(stack)
    const page = await openPage(rig)
    const seen = watchPage(page)
    await signUpIn(page, stack, operatorLink(stack), MAIL)
    const { photoId, token } = await plantStored(stack, await signIn(stack.url, MAIL))
    const stays = await visit(page, stack, photoId)
    await plantInAnswers(page, markFor('answer'))
    const answers = await visit(page, stack, photoId)
    const report = await scan(rig, stack, token)
    const text = stays.texts + answers.texts
    const shown = stored.filter((field) => stays.texts.includes(markFor(field)))
    return {
      measured: {
        'findings of wapiti': report.found.length,
        'dialogs opened by planted code': seen.dialogs.length,
        'planted texts that became elements': stays.elements + answers.elements,
        'stored texts that were shown': shown.length,
        'planted texts shown as text': text.split('onerror=alert(').length - 1,
      },
      met: {
        'wapiti attacked with both modules': report.modules.length === 2,
        'wapiti knew pages and routes': report.crawled >= 30,
      },
      evidence: [
        ...report.found,
        ...seen.dialogs.slice(0, 5),
        `wapiti knew ${report.crawled} addresses`,
        `shown: ${shown.join(', ')}`,
      ],
    }
  },
  sabotages: [
    patch(
      'a page repeats what was asked for as HTML',
      'packages/platform/src/http/server.ts',
      '.send(html),',
      ".send(html.replace('</body>', `${new URLSearchParams(_request.url.split('?')[1]).get('q') ?? ''}</body>`)),",
    ),
    patch(
      'stored words are written as HTML and the policy allows it',
      'packages/platform/src/http/routes/web-pages.ts',
      "preparePage(html, {\n      ...securityHeaders(isHttps),\n      'content-security-policy': pagePolicy(html),",
      "preparePage(html.replace('</head>', '<script>setInterval(() => { for (const e of document.querySelectorAll(\"strong, h2, p, option\")) if (!e.children.length && /onerror/.test(e.textContent)) e.innerHTML = e.textContent }, 20)</script></head>'), {\n      ...securityHeaders(isHttps),\n      'content-security-policy': \"default-src 'self' 'unsafe-inline' data: blob:\",",
    ),
  ],
})

/** By the API, as somebody would who does not use the pages. */
async function plantStored(stack: Stack, person: Person): Promise<{ photoId: string; token: string }> {
  const login = jsonBody({ email: MAIL, password: PASSWORD }, { 'user-agent': markFor('phone') })
  await (await fetch(`${stack.url}/api/identity/sign-in`, login)).arrayBuffer()
  const post = (path: string, body: unknown): Promise<Response> => person.fetch(path, jsonBody(body))
  const office = (await (await post('/api/identity/accounts', { name: markFor('office') })).json()) as { id: string }
  await post('/api/identity/api-keys', { name: markFor('key'), role: 'viewer', scopes: ['cosnap:read'] })
  const path = `/api/cosnap/photos?name=${encodeURIComponent(`${markFor('photo')}.jpg`)}`
  const { id } = (await (await person.fetch(path, { method: 'POST', body: await jpegPhoto(64, 48) })).json()) as {
    id: string
  }
  return { photoId: id, token: await inviteTo(stack, person, office.id) }
}

/** Makes mail and a member-to-be. The token is for the account that one started in. */
async function inviteTo(stack: Stack, person: Person, office: string): Promise<string> {
  const headers = { authorization: `Bearer ${await switchTo(person, office)}` }
  const invitation = jsonBody({ email: 'friend@example.com', role: 'member' }, headers)
  await (await fetch(`${stack.url}/api/identity/invitations`, invitation)).arrayBuffer()
  const again = await signIn(stack.url, MAIL)
  await uploadPhoto(again, await jpegPhoto(32, 32))
  return again.token
}

/** Every page that shows something of somebody. */
async function visit(page: Page, stack: Stack, photoId: string): Promise<{ texts: string; elements: number }> {
  const paths = ['/cosnap', '/cosnap/gallery', '/cosnap/credits', `/cosnap/photos/${photoId}`, '/members']
  let [texts, elements] = ['', 0]
  for (const path of [...paths, '/settings/security', '/join#token=none', '/operations']) {
    await page.goto(`${stack.url}${path}`)
    await page.waitForLoadState('networkidle')
    if (path === '/operations') await readLetter(page)
    texts += await page.locator('body').innerText()
    elements += await plantedElements(page)
  }
  return { texts, elements }
}

/** It names the account that somebody is invited to. */
async function readLetter(page: Page): Promise<void> {
  await page
    .getByRole('button', { name: /^Read: / })
    .first()
    .click()
  await page.locator('.letter p').first().waitFor()
}

/** The pages with words in their queries, and every route that reads, signed in. */
async function scan(rig: Rig, stack: Stack, token: string) {
  const routes = (await documentedRoutes(stack.url)).filter(({ method }) => method === 'GET')
  const starts = routes.map((route) => addressOf(requestOf(route, { limit: 1, scopes: ['cosnap:read'] })))
  return scanForScripts(rig, {
    url: stack.url,
    starts: [...openPages.map((path) => path + queries), ...starts],
    headers: { Authorization: `Bearer ${token}` },
    seconds: SCAN_SECONDS,
  })
}
