import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { drawPhoto, type Installation, jpegPhoto, openInstallation } from '@seaworthy/testkit'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  accessibilityFaults,
  chromiumPath,
  desk,
  openChromium,
  openVisitor,
  phone,
  type Visitor,
  warningsOf,
} from './chromium.ts'

// Without a browser these are reported as skipped; in CI that is a failure (scripts/test.js).
describe.skipIf(!chromiumPath)('in a real browser', () => {
  let installation: Installation
  let browser: Browser
  let directory: string
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'browser-'))
    writeFileSync(join(directory, 'boat.jpg'), await jpegPhoto(1_600, 1_200))
    writeFileSync(join(directory, 'notes.jpg'), 'this is text')
    installation = await openInstallation()
    browser = await openChromium()
  })
  afterAll(async () => {
    await browser.close()
    await installation.close()
    rmSync(directory, { recursive: true })
  })

  const visit = (size: { width: number; height: number }): Promise<Visitor> => openVisitor(browser, size)
  const expectAccessible = async (page: Page, where: string): Promise<void> =>
    expect(await accessibilityFaults(page), where).toEqual([])

  async function signUp(page: Page): Promise<void> {
    await page.goto(`${installation.url}/sign-up`)
    await page.getByLabel('E-mail').fill(`browser-${Math.random().toString(36).slice(2)}@example.com`)
    await page.getByLabel('Password').fill('three calm words')
    await page.getByRole('button', { name: 'Make my account' }).click()
    await page.getByRole('heading', { name: 'Start with a photo' }).waitFor()
  }

  it.each([
    ['a desktop', desk],
    ['a phone', phone],
  ])('goes from signing up to a finished effect on %s, with what it cost', async (_, size) => {
    const { page, context, complaints } = await visit(size)
    await page.goto(installation.url)
    await expectAccessible(page, 'home')
    await signUp(page)
    await expectAccessible(page, 'studio')

    await page.getByTestId('photo-file').setInputFiles(join(directory, 'boat.jpg'))
    const noir = page.getByRole('radio', { name: /Noir/ })
    await noir.waitFor({ state: 'attached' })
    await page.waitForFunction(() => document.querySelectorAll('.effect img').length >= 12)
    await page.getByText('Noir', { exact: true }).scrollIntoViewIfNeeded()
    await noir.check({ force: true })
    await page.getByText('Preview, small and free').waitFor()
    await expectAccessible(page, 'preview')

    await page.getByRole('button', { name: /Make Noir/ }).click()
    const download = page.getByRole('link', { name: /Download 1600 × 1200/ })
    await download.waitFor()
    await expectAccessible(page, 'result')
    const divider = page.getByRole('slider', { name: 'Divider between before and after' })
    await divider.focus()
    await page.keyboard.press('ArrowRight')
    expect(await divider.getAttribute('aria-valuetext')).toBe('51 percent before')
    const [file] = await Promise.all([page.waitForEvent('download'), download.click()])
    expect(file.suggestedFilename()).toBe('noir.jpg')

    await page.getByRole('link', { name: 'Credits' }).click()
    await page.getByText('Welcome gift').waitFor()
    expect(await page.locator('.balance dd').allInnerTexts()).toEqual(['19', '0', '1'])
    expect(await page.locator('.ledger strong').allInnerTexts()).toEqual(['Noir', 'Welcome gift'])
    await expectAccessible(page, 'credits')
    await page.getByRole('link', { name: 'Gallery' }).click()
    await page.getByRole('button', { name: 'Delete Noir' }).click()
    await page.getByRole('dialog').waitFor()
    await expectAccessible(page, 'dialog')
    await page.getByRole('button', { name: 'Delete', exact: true }).click()
    await page.getByRole('heading', { name: 'Nothing made yet' }).waitFor()

    expect(complaints, warningsOf(installation.output())).toEqual([])
    await context.close()
  })

  it('names every page in its title, gives it the focus, and asks for nothing that is not there', async () => {
    const { page, context } = await visit({ width: 1024, height: 768 })
    const missing: string[] = []
    page.on('response', (response) => {
      if (response.status() === 404) missing.push(response.url())
    })
    const isNamed = (title: string) => page.waitForFunction((wanted) => document.title === wanted, title)
    const arrivesAt = async (title: string) => {
      await isNamed(title)
      await page.waitForFunction(() => document.activeElement?.id === 'main')
      expect(await page.getByRole('status').allInnerTexts()).toContain(title)
    }
    await page.goto(installation.url)
    await isNamed('Cosnap · Seaworthy')
    // Pressed before its code has come, a link opens the page as the browser does.
    await page.waitForLoadState('networkidle')
    await page.getByRole('link', { name: 'Sign in', exact: true }).click()
    await arrivesAt('Sign in · Seaworthy')
    await page.getByRole('link', { name: 'Make an account' }).click()
    await arrivesAt('Make an account · Seaworthy')
    await signUp(page)
    await arrivesAt('Studio · Cosnap')
    await page.getByTestId('photo-file').setInputFiles(join(directory, 'boat.jpg'))
    await arrivesAt('boat.jpg · Cosnap')
    expect(await page.locator('[aria-current]').allInnerTexts()).toEqual(['Studio'])
    for (const name of ['Gallery', 'Credits']) {
      await page.getByRole('link', { name }).click()
      await arrivesAt(`${name} · Cosnap`)
    }
    for (const [path, title] of [
      ['/operations', 'Operations · Seaworthy'],
      ['/operations/recovery', 'Recovery · Seaworthy'],
      ['/settings/keys', 'Provider keys · Seaworthy'],
      ['/settings/activity', 'Activity · Seaworthy'],
      ['/settings/privacy', 'Your data · Seaworthy'],
      ['/nowhere', 'Nothing at this address · Seaworthy'],
      ['/cosnap/nowhere', 'Nothing at this address · Cosnap'],
      ['/docs/errors', 'Errors · Seaworthy'],
      ['/docs', 'API · Seaworthy'],
    ] as const) {
      await page.goto(`${installation.url}${path}`)
      await isNamed(title)
    }
    // Browsers ask for icons where no test sees it.
    const icon = (await page.locator('link[rel=icon]').getAttribute('href')) ?? ''
    for (const path of [icon, '/favicon.ico'])
      expect((await fetch(`${installation.url}${path}`)).headers.get('content-type'), path).toMatch(/^image\//)
    expect(missing).toEqual([])
    await context.close()
  })

  it('goes on with a large photo where it was when the connection breaks', async () => {
    const { page, context } = await visit({ width: 1024, height: 768 })
    await signUp(page)
    const large = join(directory, 'large.jpg')
    await drawPhoto(3_000, 2_250).jpeg({ quality: 100 }).toFile(large)
    let parts = 0
    await page.route('**/api/uploads/*?offset=*', (route) => (++parts === 1 ? route.abort() : route.continue()))
    await page.getByTestId('photo-file').setInputFiles(large)
    await page.waitForURL(/\/cosnap\/photos\//)
    expect(parts).toBe(2)
    await context.close()
  })

  it('says that a preview is of before while the next one is made', async () => {
    const { page, context } = await visit({ width: 1024, height: 768 })
    await signUp(page)
    await page.getByTestId('photo-file').setInputFiles(join(directory, 'boat.jpg'))
    await page.getByRole('radio', { name: /Noir/ }).check({ force: true })
    await page.getByRole('img', { name: 'Preview of Noir' }).waitFor()
    let letGo = (): void => {}
    const held = new Promise<void>((resolve) => {
      letGo = resolve
    })
    await page.route('**/previews?effect=glow*', (route) => held.then(() => route.continue()))
    await page.getByRole('radio', { name: /Glow/ }).check({ force: true })
    await page.getByRole('status').getByText('Loading the preview of Glow').waitFor()
    expect(await page.locator('[aria-busy=true] img').getAttribute('alt')).toBe('Preview of Noir')
    letGo()
    await page.getByRole('img', { name: 'Preview of Glow' }).waitFor()
    await page.locator('[aria-busy=true]').waitFor({ state: 'detached' })
    await context.close()
  })

  it('leaves the focus on the button that makes the next effect when a waiting one is cancelled', async () => {
    const { page, context } = await visit({ width: 1024, height: 768 })
    await signUp(page)
    await page.getByTestId('photo-file').setInputFiles(join(directory, 'boat.jpg'))
    await page.getByRole('radio', { name: /Noir/ }).check({ force: true })
    const make = page.getByRole('button', { name: /Make Noir/ })
    const cancel = page.getByRole('button', { name: 'Cancel Noir' })
    const focused = () => page.evaluate(() => document.activeElement?.textContent)
    const worker = await installation.pid('worker')
    process.kill(worker, 'SIGSTOP')
    try {
      await make.focus()
      await page.keyboard.press('Enter')
      await cancel.waitFor()
      expect(await focused()).toMatch(/^Make Noir/)
      await cancel.focus()
      await page.keyboard.press('Enter')
      await cancel.waitFor({ state: 'detached' })
    } finally {
      process.kill(worker, 'SIGCONT')
    }
    await page.getByText('Noir is cancelled. Your credits are back.').waitFor()
    expect(await focused()).toMatch(/^Make Noir/)
    await page.getByText('You have 20 credits').waitFor()
    await context.close()
  })

  it('says in plain words what is wrong with a file, and takes the next one', async () => {
    const { page, context } = await visit({ width: 1024, height: 768 })
    await signUp(page)
    await page.getByTestId('photo-file').setInputFiles(join(directory, 'notes.jpg'))
    await page.getByRole('alert').getByText('This photo cannot be used.').waitFor()
    await page.getByTestId('photo-file').setInputFiles(join(directory, 'boat.jpg'))
    await page.getByRole('radio', { name: /Noir/ }).waitFor({ state: 'attached' })
    await context.close()
  })

  it('keeps a person signed in over a reload, shows nothing of theirs after signing out, and asks for a sign-in again', async () => {
    const { page, context } = await visit({ width: 1024, height: 768 })
    await signUp(page)
    await page.getByTestId('photo-file').setInputFiles(join(directory, 'boat.jpg'))
    await page.getByRole('radio', { name: /Noir/ }).waitFor({ state: 'attached' })
    const address = page.url()
    await page.reload()
    await page.getByRole('radio', { name: /Noir/ }).waitFor({ state: 'attached' })
    expect((await context.cookies(`${installation.url}/api/identity`))[0]).toMatchObject({
      httpOnly: true,
      sameSite: 'Strict',
    })
    await page.getByRole('button', { name: 'Account' }).click()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('link', { name: 'Sign in', exact: true }).waitFor()
    await page.goto(address)
    await page.getByRole('heading', { name: 'Welcome back' }).waitFor()
    await context.close()
  })

  it('takes what is on the screen away when the sign-in ends, and says so when it could not be ended', async () => {
    const { page, context } = await visit({ width: 1024, height: 768 })
    await signUp(page)
    await page.getByTestId('photo-file').setInputFiles(join(directory, 'boat.jpg'))
    await page.getByRole('radio', { name: /Noir/ }).waitFor({ state: 'attached' })
    const signOut = async () => {
      await page.getByRole('button', { name: 'Account' }).click()
      await page.getByRole('button', { name: 'Sign out' }).click()
    }
    await page.route('**/api/identity/sign-out', (route) => route.abort())
    await signOut()
    await page.getByText('You are still signed in.').waitFor()
    await page.unroute('**/api/identity/sign-out')
    await page.route('**/api/cosnap/credits*', (route) => route.fulfill({ status: 401, body: '{}' }))
    await page.reload()
    await page.getByRole('heading', { name: 'Welcome back' }).waitFor()
    expect(await page.locator('img[src*="/media/"]').count()).toBe(0)
    await context.close()
  })

  it('sends a form once, however often its button is clicked', async () => {
    const { page, context } = await visit({ width: 1024, height: 768 })
    let sent = 0
    await page.route('**/api/identity/sign-up', (route) => {
      sent++
      return route.continue()
    })
    await page.goto(`${installation.url}/sign-up`)
    await page.getByLabel('E-mail').fill(`twice-${Date.now()}@example.com`)
    await page.getByLabel('Password').fill('three calm words')
    await page.getByRole('button', { name: 'Make my account' }).dblclick()
    await page.getByRole('heading', { name: 'Start with a photo' }).waitFor()
    expect(sent).toBe(1)
    await context.close()
  })

  it('shows an error and a way on when the service fails, and a note when it is offline', async () => {
    const { page, context } = await visit({ width: 1024, height: 768 })
    await signUp(page)
    await page.route('**/api/cosnap/credits*', (route) =>
      route.fulfill({
        status: 500,
        contentType: 'application/problem+json',
        body: '{"title":"x","status":500,"code":"internal","requestId":"ref-42"}',
      }),
    )
    await page.getByRole('link', { name: 'Credits' }).click()
    await page.getByText('Reference: ref-42').waitFor()
    await page.unroute('**/api/cosnap/credits*')
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByText('Welcome gift').waitFor()
    await context.setOffline(true)
    await page.getByText('You are offline.').waitFor()
    await context.close()
  })

  it('shows pages before any script has come, and takes over what was typed and pressed', async () => {
    const { page, context, complaints } = await visit({ width: 390, height: 844 })
    let letGo = (): void => {}
    const holdScripts = async (): Promise<void> => {
      const held = new Promise<void>((resolve) => {
        letGo = resolve
      })
      await page.route('**/assets/*.js', (route) => held.then(() => route.continue()))
    }
    await holdScripts()
    await page.goto(`${installation.url}/sign-in`)
    await page.getByLabel('E-mail').fill('somebody@example.com')
    const field = await page.getByLabel('E-mail').elementHandle()
    letGo()
    await page.locator('#root:not([data-visitors])').waitFor()
    await page.waitForLoadState('networkidle')
    expect(await field?.evaluate((element) => [element.isConnected, (element as HTMLInputElement).value])).toEqual([
      true,
      'somebody@example.com',
    ])

    await page.unrouteAll()
    await holdScripts()
    await page.goto(`${installation.url}/sign-up`)
    const address = `early-${Math.random().toString(36).slice(2)}@example.com`
    await page.getByLabel('E-mail').fill(address)
    await page.getByLabel('Password').fill('three calm words')
    await page.getByRole('button', { name: 'Make my account' }).click()
    expect(page.url()).toBe(`${installation.url}/sign-up`)
    letGo()
    await page.getByRole('heading', { name: 'Start with a photo' }).waitFor()
    await page.getByRole('button', { name: 'Account' }).click()
    await page.getByText(address).waitFor()
    expect(complaints, warningsOf(installation.output())).toEqual([])
    await context.close()
  })

  it('shows nobody the page of somebody else while it loads', async () => {
    const { page, context } = await visit({ width: 1024, height: 768 })
    const lookWithoutScripts = async (path: string) => {
      await page.route('**/assets/*.js', () => undefined)
      await page.goto(`${installation.url}${path}`)
      const seen = {
        words: await page.locator('main').innerText(),
        isSeen: await page.locator('main').evaluate((main) => getComputedStyle(main).visibility === 'visible'),
      }
      await page.unroute('**/assets/*.js')
      return seen
    }
    expect((await lookWithoutScripts('/')).words).toContain('Start with 20 free credits')
    expect((await lookWithoutScripts('/sign-in')).isSeen).toBe(true)
    expect((await lookWithoutScripts('/cosnap')).isSeen).toBe(false)
    await signUp(page)
    expect((await lookWithoutScripts('/')).words).toContain('Open the studio')
    expect((await lookWithoutScripts('/sign-in')).isSeen).toBe(false)
    expect((await lookWithoutScripts('/cosnap')).words).toContain('Start with a photo')
    await page.goto(installation.url)
    await page.getByRole('button', { name: 'Account' }).click()
    await page.getByText('@example.com').waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('link', { name: 'Sign in', exact: true }).waitFor()
    expect(await page.evaluate(() => localStorage.getItem('session'))).toBeNull()
    await context.close()
  })

  it('runs no inline script that is not its own', async () => {
    const { page, context } = await visit({ width: 1024, height: 768 })
    const response = await page.goto(installation.url)
    const policy = response?.headers()['content-security-policy'] ?? ''
    expect(policy).toMatch(/script-src 'self' 'sha256-/)
    expect(policy).not.toMatch(/unsafe-inline|unsafe-eval|\*/)
    await page.evaluate(() => {
      const script = document.createElement('script')
      try {
        script.textContent = 'window.injected = true'
      } catch {
        // Refused by Trusted Types already.
      }
      document.body.append(script)
    })
    expect(await page.evaluate(() => 'injected' in window)).toBe(false)
    await context.close()
  })

  it('loads at most 120 KB of compressed JavaScript for each page at first', async () => {
    const { page, context } = await visit({ width: 1024, height: 768 })
    await signUp(page)
    for (const path of [
      '/',
      '/sign-in',
      '/cosnap',
      '/cosnap/gallery',
      '/cosnap/credits',
      '/members',
      '/settings/security',
      '/settings/keys',
      '/settings/activity',
      '/settings/privacy',
    ]) {
      const fresh = await context.newPage()
      const sizes: number[] = []
      fresh.on('response', (response) => {
        // The socket's library comes later, when the page stands.
        const isScript =
          response.url().includes('/assets/') && response.url().endsWith('.js') && !/esm-/.test(response.url())
        if (isScript) sizes.push(Number(response.headers()['content-length'] ?? 0))
      })
      await fresh.goto(`${installation.url}${path}`)
      await fresh.getByRole('heading').first().waitFor()
      await fresh.waitForLoadState('networkidle')
      const total = sizes.reduce((sum, size) => sum + size, 0) / 1024
      expect(total, path).toBeGreaterThan(60)
      expect(total, path).toBeLessThan(120)
      await fresh.close()
    }
    await context.close()
  })
})
