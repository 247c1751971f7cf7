import { CspEvaluator } from 'csp_evaluator'
import { Severity } from 'csp_evaluator/dist/finding.js'
import { CspParser } from 'csp_evaluator/dist/parser.js'
import type { BrowserContext, Page } from 'playwright-core'
import { defineClaim, exactly } from '../../claim.ts'
import { jpegPhoto, startRun, uploadPhoto } from '../../rig/photo.ts'
import type { Stack } from '../../rig/stack.ts'
import { patch } from '../../sabotage.ts'

const outside = ['/', '/sign-in', '/sign-up', '/docs', '/docs/errors', '/nowhere']
const inside = ['/cosnap', '/cosnap/gallery', '/cosnap/credits']
const data = ['/openapi.json', '/health', '/api/nowhere']

/** What an attacker writes into a page who has found a place to write. Each says so when it runs. */
const injected = [
  `<script>console.log('ran: inline script')</script>`,
  `<script src="data:text/javascript,console.log('ran: script from data')"></script>`,
  `<script src="https://evil.example/x.js"></script>`,
  `<img src="/nowhere.png" alt="" onerror="console.log('ran: handler of an image')">`,
  `<svg onload="console.log('ran: handler of a drawing')"></svg>`,
  `<iframe srcdoc="<script>console.log('ran: script in a frame')</script>"></iframe>`,
  `<a href="javascript:console.log('ran: link')">x</a>`,
].map((markup) => markup.replace(/^<\w+/, (tag) => `${tag} data-injected`))
const foreignScript = `console.log('ran: script of another site')`

export const claim = defineClaim({
  id: 'NET-02',
  says: 'The content security policy of every page lets no injected script run, and hinders nothing of our own pages',
  answers: ['H10', 'H11', 'ASVS 3.4.3', 'ASVS 3.2.1'],
  witness: 'csp_evaluator, Chromium',
  needs: ['chromium'],
  tier: 'full',
  seconds: 12,
  limits: {
    'findings of csp_evaluator': exactly(0, 'findings'),
    'inline or eval allowed': exactly(0, 'policies'),
    'injected scripts that ran': exactly(0, 'scripts'),
    'violations by our own pages': exactly(0, 'reports'),
  },
  experiment: async (rig) => {
    const stack = await rig.start()
    const policies = await Promise.all([...outside, ...data].map((path) => policyOf(stack, path)))
    const findings = policies.flatMap(({ path, policy }) => evaluate(policy).map((found) => `${path}: ${found}`))
    const browser = await rig.browser()
    const own = await visitOwnPages(await browser.newContext(), stack)
    const attack = await visitInjected(await browser.newContext(), stack)
    const ran = attack.messages.filter((text) => text.startsWith('ran: '))
    const violations = own.filter(isViolation)
    return {
      measured: {
        'findings of csp_evaluator': findings.length,
        'inline or eval allowed': policies.filter(({ policy }) => /'unsafe-(inline|eval)'/.test(policy)).length,
        'injected scripts that ran': ran.length,
        'violations by our own pages': violations.length,
      },
      met: {
        'everything injected was in the page': attack.arrived === injected.length,
        'the browser judged what was injected': attack.messages.some(isViolation) || ran.length > 0,
      },
      evidence: [...findings, ...ran, ...violations.slice(0, 5)],
    }
  },
  sabotages: [
    patch(
      'inline scripts are allowed',
      'packages/platform/src/http/routes/web-pages.ts',
      "`script-src 'self'${scripts}`",
      "`script-src 'self' 'unsafe-inline'`, \"script-src-attr 'unsafe-inline'\"",
    ),
    patch(
      'inline styles are allowed',
      'packages/platform/src/http/routes/web-pages.ts',
      "`style-src 'self'${styles}`",
      "`style-src 'self' 'unsafe-inline'`",
    ),
    patch(
      'pictures that the pages make are forbidden',
      'packages/platform/src/http/routes/web-pages.ts',
      "img-src 'self' blob: data:",
      "img-src 'none'",
    ),
  ],
})

const isViolation = (message: string): boolean => /Content Security Policy|Trusted ?Type/i.test(message)

async function policyOf(stack: Stack, path: string): Promise<{ path: string; policy: string }> {
  const response = await fetch(`${stack.url}${path}`, { headers: data.includes(path) ? {} : { accept: 'text/html' } })
  await response.arrayBuffer()
  return { path, policy: response.headers.get('content-security-policy') ?? '' }
}

/** Of medium severity or worse; a low number is a bad one. */
const evaluate = (policy: string): string[] =>
  new CspEvaluator(new CspParser(policy).csp)
    .evaluate()
    .filter((finding) => finding.severity <= Severity.MEDIUM)
    .map((finding) => `${finding.directive} ${finding.value ?? ''}: ${finding.description}`)

/** Every page, signed out and signed in, with a photo and an effect on it. */
async function visitOwnPages(context: BrowserContext, stack: Stack): Promise<string[]> {
  const page = await context.newPage()
  const messages = listenTo(page)
  for (const path of outside) await visit(page, `${stack.url}${path}`)
  const person = await stack.newcomer()
  const photoId = await uploadPhoto(person, await jpegPhoto())
  await startRun(person, photoId)
  const [name = '', value = ''] = person.cookie.split('=')
  await context.addCookies([{ name, value, url: `${stack.url}/api/identity` }])
  for (const path of [...inside, `/cosnap/photos/${photoId}`]) await visit(page, `${stack.url}${path}`)
  await page.waitForFunction(() => [...document.images].some((image) => image.complete))
  return messages
}

async function visit(page: Page, address: string): Promise<void> {
  await page.goto(address, { waitUntil: 'load' })
  await page.getByRole('heading').first().waitFor()
}

/** The start page with what was injected, under the policy that the product sends with it. */
async function visitInjected(context: BrowserContext, stack: Stack): Promise<{ messages: string[]; arrived: number }> {
  const page = await context.newPage()
  const messages = listenTo(page)
  await page.route('https://evil.example/**', (route) =>
    route.fulfill({ contentType: 'text/javascript', body: foreignScript }),
  )
  await page.route(`${stack.url}/`, async (route) => {
    const response = await route.fetch()
    const body = (await response.text()).replace('</body>', `${injected.join('')}</body>`)
    await route.fulfill({ response, body })
  })
  await page.goto(`${stack.url}/`, { waitUntil: 'load' })
  await page.evaluate(async () => {
    document.querySelector<HTMLElement>('a[data-injected]')?.click()
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))
  })
  return { messages, arrived: await page.locator('[data-injected]').count() }
}

function listenTo(page: Page): string[] {
  const messages: string[] = []
  page.on('console', (message) => void messages.push(message.text()))
  return messages
}
