import type { Browser, Page } from 'playwright-core'
import { type PageTrace, slowDown, traceOf } from './page-trace.ts'
import { PASSWORD } from './person.ts'
import type { Rig } from './rig.ts'
import type { Stack } from './stack.ts'
import { signUpIn, uploadIn } from './visitor.ts'

const SLOWER = 4
const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true }
type StorageState = Awaited<ReturnType<ReturnType<Page['context']>['storageState']>>

export interface SlowVisits {
  readonly loads: readonly (PageTrace & { readonly path: string })[]
  readonly presses: PageTrace['interactions']
  /** How much longer a computation took than without. */
  readonly slower: number
}

/** A phone with a processor four times slower: each page with an empty cache, then everything on them that can be pressed. */
export async function visitOnSlowPhone(
  rig: Rig,
  stack: Stack,
  { outside, inside }: { readonly outside: readonly string[]; readonly inside: readonly string[] },
): Promise<SlowVisits> {
  const browser = await rig.browser()
  const loads = []
  for (const path of outside) loads.push(await loadOn(browser, stack.url, path))
  const context = await browser.newContext(phone)
  context.setDefaultTimeout(20_000)
  const page = await context.newPage()
  await signUpIn(page, stack)
  await uploadIn(rig, page)
  const photo = new URL(page.url()).pathname
  // Each visit renews the session's cookie, so the state goes from one to the next.
  const state = await context.storageState()
  for (const path of [...inside, photo]) loads.push(await loadOn(browser, stack.url, path, state))
  await context.clearCookies()
  await context.addCookies(state.cookies)
  const before = await timeOfWork(page)
  await slowDown(page, SLOWER)
  const slower = (await timeOfWork(page)) / before
  const { interactions: signedIn } = await traceOf(browser, page, () => pressInside(page, stack.url, photo))
  await context.clearCookies()
  const { interactions: strange } = await traceOf(browser, page, () => pressOutside(page, stack.url))
  return { loads, presses: [...signedIn, ...strange], slower }
}

async function loadOn(browser: Browser, url: string, path: string, storageState?: StorageState) {
  const context = await browser.newContext({ ...phone, ...(storageState ? { storageState } : {}) })
  const page = await context.newPage()
  await slowDown(page, SLOWER)
  const trace = await traceOf(browser, page, async () => {
    await page.goto(`${url}${path}`)
    await whole(page)
  })
  if (storageState) storageState.cookies = (await context.storageState()).cookies
  await context.close()
  return { ...trace, path: path.replace(/[\da-f]{8}-.*/, '…') }
}

async function pressInside(page: Page, url: string, photo: string): Promise<void> {
  await page.goto(`${url}${photo}`)
  for (const name of ['Noir', 'Glow', 'Oil']) {
    const effect = page.getByRole('radio', { name: new RegExp(name) })
    await effect.waitFor({ state: 'attached' })
    await effect.locator('xpath=..').click()
  }
  await page.getByRole('slider', { name: 'Strength' }).focus()
  for (const key of ['ArrowRight', 'ArrowRight', 'ArrowLeft']) await page.keyboard.press(key)
  await page.locator('.editor-head button').click()
  await page.getByRole('button', { name: 'Keep it' }).click()
  for (const name of ['Studio', 'Gallery', 'Credits', 'Studio']) {
    await page.locator('.nav').getByRole('link', { name }).click()
    await page.getByRole('heading', { name, exact: true }).waitFor()
  }
  await page.getByRole('button', { name: 'Account' }).click()
  await page.keyboard.press('Escape')
  await pressThemes(page)
}

async function pressOutside(page: Page, url: string): Promise<void> {
  await page.goto(url)
  await whole(page)
  await page.getByRole('slider').focus()
  for (const key of ['ArrowRight', 'ArrowRight', 'ArrowLeft']) await page.keyboard.press(key)
  await pressThemes(page)
  await page.getByRole('link', { name: 'I have an account' }).click()
  await page.getByLabel('E-mail').pressSequentially('someone@example.com')
  await page.getByLabel('Password').pressSequentially(PASSWORD)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByRole('alert').waitFor()
  await page.getByRole('link', { name: 'Make an account' }).click()
  await page.getByRole('heading', { name: 'Make an account' }).waitFor()
}

async function pressThemes(page: Page): Promise<void> {
  for (let press = 0; press < 3; press++) await page.getByRole('button', { name: /^Colours/ }).click()
}

/** Milliseconds for the same sum, at best: others may have the processor in between. */
const timeOfWork = (page: Page): Promise<number> =>
  page.evaluate(() => {
    const times = Array.from({ length: 9 }, () => {
      const started = performance.now()
      let sum = 0
      for (let i = 0; i < 5e6; i++) sum += Math.sqrt(i)
      return sum > 0 ? performance.now() - started : 0
    })
    return Math.min(...times)
  })

/** It was painted, takes what is pressed, and nothing on it is still to come. */
async function whole(page: Page): Promise<void> {
  await page.waitForFunction(
    () =>
      !document.querySelector('#root[data-visitors], .skeleton') &&
      performance.getEntriesByName('first-contentful-paint').length > 0 &&
      [...document.images].every((image) => image.complete || image.loading === 'lazy'),
  )
}
