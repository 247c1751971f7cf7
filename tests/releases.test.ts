import { type Installation, openInstallation, until } from '@seaworthy/testkit'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibilityFaults, chromiumPath, desk, openChromium, openVisitor, phone } from './chromium.ts'

// Without a browser these are reported as skipped; in CI that is a failure (scripts/test.js).
describe.skipIf(!chromiumPath)('a page of another release', () => {
  let installation: Installation
  let browser: Browser
  beforeAll(async () => {
    installation = await openInstallation()
    browser = await openChromium()
  })
  afterAll(async () => {
    await browser.close()
    await installation.close()
  })

  /** Pages say that another release made them. Gives what ends that: from then on they are of this one. */
  async function pretendOther(page: Page): Promise<() => Promise<void>> {
    // Not by another answer in place of ours: the browser lets no page of unknown origin open a socket here.
    await page.addInitScript(() => {
      const pretend = (): void => {
        const build = document.querySelector('meta[name="build"]')
        if (sessionStorage.getItem('test-own') === null) build?.setAttribute('content', 'another')
      }
      addEventListener('DOMContentLoaded', pretend)
    })
    return () => page.evaluate(() => sessionStorage.setItem('test-own', ''))
  }

  async function signUp(page: Page): Promise<void> {
    await page.goto(`${installation.url}/sign-up`)
    await page.getByLabel('E-mail').fill(`release-${Math.random().toString(36).slice(2)}@example.com`)
    await page.getByLabel('Password').fill('three calm words')
    await page.getByRole('button', { name: 'Make my account' }).click()
    await page.getByRole('heading', { name: 'Start with a photo' }).waitFor()
  }

  const offered = (page: Page) => page.getByRole('status').getByText('A new version is ready.')
  /** How often a page was asked for. */
  function countLoads(page: Page): () => number {
    let loads = 0
    page.on('request', (request) => {
      if (request.isNavigationRequest()) loads++
    })
    return () => loads
  }

  it.each([
    ['a desktop', desk],
    ['a phone', phone],
  ])(
    'says on %s that there is a new version, in nobody’s way, and is of it after a reload by the keyboard',
    async (name, size) => {
      const { page, context, complaints } = await openVisitor(browser, size)
      const end = await pretendOther(page)
      await signUp(page)
      await offered(page).waitFor()
      expect(await accessibilityFaults(page)).toEqual([])
      if (process.env.SCREENSHOTS)
        await page.screenshot({ path: `${process.env.SCREENSHOTS}/${name.replace(' ', '-')}.png` })
      // What stands below can be used.
      await page.getByRole('link', { name: 'Gallery' }).click()
      await page.getByRole('heading', { name: 'Nothing made yet' }).waitFor()
      await end()
      const loads = countLoads(page)
      const reload = page.getByRole('button', { name: 'Reload' })
      for (let tabs = 0; !(await reload.evaluate((button) => button === document.activeElement)); tabs++) {
        expect(tabs).toBeLessThan(40)
        await page.keyboard.press('Tab')
      }
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { name: 'Nothing made yet' }).waitFor()
      await page.waitForLoadState('networkidle')
      expect([loads(), await offered(page).count()]).toEqual([1, 0])
      expect(complaints).toEqual([])
      await context.close()
    },
  )

  it('asks again before a reload would lose what was typed, and can be put away', async () => {
    const { page, context } = await openVisitor(browser, desk)
    await pretendOther(page)
    await signUp(page)
    await page.goto(`${installation.url}/settings/keys`)
    await page.getByRole('button', { name: 'Add a key' }).click()
    await page.getByLabel('Provider').fill('openai')
    const loads = countLoads(page)
    await page.getByRole('button', { name: 'Reload' }).click()
    const again = page.getByRole('button', { name: 'Reload all the same' })
    await again.waitFor()
    expect(await again.evaluate((button) => button === document.activeElement)).toBe(true)
    await page.getByRole('button', { name: 'Not now' }).click()
    await again.waitFor({ state: 'detached' })
    expect([loads(), await page.getByLabel('Provider').inputValue()]).toEqual([0, 'openai'])
    await context.close()
  })

  it('reloads by itself once while nobody looks, and never over what was typed', async () => {
    const { page, context } = await openVisitor(browser, desk)
    await page.clock.install()
    await page.addInitScript(() => {
      const isHidden = (): boolean => sessionStorage.getItem('test-hidden') !== null
      Object.defineProperty(document, 'visibilityState', { get: () => (isHidden() ? 'hidden' : 'visible') })
    })
    await pretendOther(page)
    await signUp(page)
    await offered(page).waitFor()
    const loads = countLoads(page)
    const minutes = () => page.clock.fastForward('03:00')
    await minutes()
    expect(loads()).toBe(0)
    await page.evaluate(() => sessionStorage.setItem('test-hidden', ''))
    await page.goto(`${installation.url}/settings/keys`)
    await page.getByRole('button', { name: 'Add a key' }).click()
    await page.getByLabel('Provider').fill('openai')
    await offered(page).waitFor()
    await minutes()
    expect([loads(), await page.getByLabel('Provider').inputValue()]).toEqual([1, 'openai'])
    await page.getByLabel('Provider').fill('')
    const loaded = page.waitForEvent('load')
    await minutes()
    await loaded
    await offered(page).waitFor()
    await minutes()
    await page.evaluate(() => 'still here')
    expect(loads()).toBe(2)
    await context.close()
  })

  it('reloads once when the code of a page is not there any more, not because it is pointed at, and then says so', async () => {
    const { page, context } = await openVisitor(browser, desk)
    await page.route('**/assets/credits-page-*.js', (route) => route.fulfill({ status: 404, body: '{}' }))
    // From the beginning: the pointer may lie where the link appears.
    let missed = 0
    page.on('response', (response) => {
      if (/credits-page-.*\.js/.test(response.url())) missed++
    })
    await signUp(page)
    const loads = countLoads(page)
    // A page that still moves slides away from under the pointer, and then nothing is loaded ahead; who only passes over a
    // link does not load it either.
    await until('the code is asked for because its link is pointed at', async () => {
      const asked = page.waitForResponse(/credits-page-.*\.js/, { timeout: 1_000 }).then(
        () => true,
        () => missed > 0,
      )
      await page.mouse.move(0, 0)
      await page.getByRole('link', { name: 'Credits' }).hover()
      return asked
    })
    expect(loads()).toBe(0)
    await page.getByRole('link', { name: 'Credits' }).click()
    await page.getByRole('heading', { name: 'This page did not load' }).waitFor()
    expect(loads()).toBe(1)
    await page.unroute('**/assets/credits-page-*.js')
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByText('Welcome gift').waitFor()
    await context.close()
  })

  it('does not reload for missing code while the service is away, and says so', async () => {
    const { page, context } = await openVisitor(browser, desk)
    await signUp(page)
    await page.route('**/assets/credits-page-*.js', (route) => route.abort())
    await page.route('**/health/live', (route) => route.abort())
    const loads = countLoads(page)
    await page.getByRole('link', { name: 'Credits' }).click()
    await page.getByText('Its code could not be loaded').waitFor()
    expect(loads()).toBe(0)
    await context.close()
  })

  it('says that its first code could not be loaded, and comes to life when it can', async () => {
    const { page, context } = await openVisitor(browser, phone)
    await page.route('**/assets/index-*.js', (route) => route.fulfill({ status: 404, body: '{}' }))
    await page.goto(`${installation.url}/sign-in`)
    await page.getByRole('alert').getByText("This page's code could not be loaded.").waitFor()
    expect(await accessibilityFaults(page)).toEqual([])
    await page.unroute('**/assets/index-*.js')
    await page.getByRole('link', { name: 'Load it again' }).click()
    await page.locator('#root:not([data-visitors])').waitFor()
    expect(await page.getByRole('alert').count()).toBe(0)
    await context.close()
  })
})
