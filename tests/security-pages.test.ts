import { type Installation, openInstallation, until } from '@seaworthy/testkit'
import { TOTP } from 'otpauth'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibilityFaults, chromiumPath, desk, openChromium, openVisitor, phone } from './chromium.ts'

const password = 'three calm words'
const STEP_MS = 30_000

// Without a browser these are reported as skipped; in CI that is a failure (scripts/test.js).
describe.skipIf(!chromiumPath)('the security page', () => {
  let installation: Installation
  let browser: Browser
  /** Passkeys belong to a name, not to a number. */
  let home: string
  beforeAll(async () => {
    installation = await openInstallation()
    home = installation.url.replace('127.0.0.1', 'localhost')
    browser = await openChromium()
  })
  afterAll(async () => {
    await browser.close()
    await installation.close()
  })

  let people = 0
  async function signUp(page: Page): Promise<string> {
    const email = `security-${++people}@example.com`
    await page.goto(`${home}/sign-up`)
    await page.getByLabel('E-mail').fill(email)
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Make my account' }).click()
    await page.getByRole('heading', { name: 'Start with a photo' }).waitFor()
    return email
  }
  async function giveCredentials(page: Page, email: string): Promise<void> {
    await page.goto(`${home}/sign-in`)
    await page.getByLabel('E-mail').fill(email)
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  }
  async function openSecurity(page: Page): Promise<void> {
    await page.getByRole('button', { name: 'Account' }).click()
    await page.getByRole('link', { name: 'Security' }).click()
    await page.getByRole('heading', { name: 'Security' }).waitFor()
    await page.getByText('this one').waitFor()
  }
  async function signOut(page: Page): Promise<void> {
    await page.getByRole('button', { name: 'Account' }).click()
    await page.getByRole('button', { name: 'Sign out', exact: true }).last().click()
    await page.getByRole('link', { name: 'Sign in' }).waitFor()
  }
  const expectAccessible = async (page: Page, where: string): Promise<void> =>
    expect(await accessibilityFaults(page), where).toEqual([])
  async function expectNoSideways(page: Page): Promise<void> {
    const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    expect(beyond).toBeLessThanOrEqual(0)
  }

  it.each([
    ['a desktop', desk],
    ['a phone', phone],
  ])('sets up an app, and lets in who lost it with a recovery code, on %s', async (_, size) => {
    const { page, context } = await openVisitor(browser, size)
    const email = await signUp(page)
    await openSecurity(page)
    await page.getByText('Signing in needs no code', { exact: true }).waitFor()
    await expectAccessible(page, 'security')
    await expectNoSideways(page)

    await page.getByRole('button', { name: 'Set up' }).click()
    const secret = (await page.locator('.enrol .key').innerText()).replace(/\s/g, '')
    await expectAccessible(page, 'enrolment')
    await expectNoSideways(page)
    const app = new TOTP({ secret })
    const at = Date.now()
    await page.getByLabel('The six digits it shows').fill(app.generate({ timestamp: at }))
    await page.getByRole('button', { name: 'Turn it on' }).click()
    await page.getByRole('heading', { name: 'Keep these recovery codes' }).waitFor()
    const [recoveryCode = ''] = await page.locator('.codes code').allInnerTexts()
    await expectAccessible(page, 'recovery codes')
    await expectNoSideways(page)
    await page.getByRole('button', { name: 'I have kept them' }).click()
    await page.getByText('Signing in needs a code').waitFor()
    await signOut(page)

    await giveCredentials(page, email)
    await page.getByRole('heading', { name: 'One more step' }).waitFor()
    await expectAccessible(page, 'second step')
    await page.getByLabel('Six digits').fill(app.generate({ timestamp: at + STEP_MS }))
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'Start with a photo' }).waitFor()
    await signOut(page)

    await giveCredentials(page, email)
    for (let tries = 0; tries < 6; tries++) {
      await page.getByLabel('Six digits').fill('000000')
      const answered = page.waitForResponse('**/api/identity/sign-in/code')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await answered
    }
    await page.getByText('Please start again.').waitFor()
    await expectAccessible(page, 'tried too often')
    await page.getByRole('button', { name: 'Start again' }).click()
    await giveCredentials(page, email)
    await page.getByRole('button', { name: 'I lost my phone' }).click()
    await page.getByLabel('Recovery code').fill(recoveryCode)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'Start with a photo' }).waitFor()
    await openSecurity(page)
    await page.getByText('9 of 10 recovery codes left').waitFor()
    const section = page.getByRole('region', { name: 'Authenticator app' })
    await section.getByRole('button', { name: 'Remove' }).click()
    await page.getByRole('button', { name: 'Remove it' }).click()
    await page.getByText('Signing in needs no code', { exact: true }).waitFor()
    await context.close()
  })

  it('signs in with a passkey that the device made', async () => {
    const { page, context } = await openVisitor(browser, desk)
    const devtools = await context.newCDPSession(page)
    await devtools.send('WebAuthn.enable')
    await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    })
    await signUp(page)
    await openSecurity(page)
    await page.getByRole('button', { name: 'Add a passkey' }).click()
    await page.getByText('From now on this device signs you in.').waitFor()
    await expectAccessible(page, 'with a passkey')
    await signOut(page)
    await page.goto(`${home}/sign-in`)
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
    await page.getByRole('heading', { name: 'Start with a photo' }).waitFor()
    await openSecurity(page)
    const section = page.getByRole('region', { name: 'Passkeys' })
    await section.getByRole('button', { name: 'Remove' }).click()
    await page.getByText('This passkey opens nothing any more.').waitFor()
    await signOut(page)
    await page.goto(`${home}/sign-in`)
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
    await page.getByRole('alert').getByText('That did not match.').waitFor()
    await context.close()
  })

  it('ends a stolen sign-in, and brings its browser to the door', async () => {
    const owner = await openVisitor(browser, desk)
    const thief = await openVisitor(browser, phone)
    const email = await signUp(owner.page)
    let admitted = false
    thief.page.on('websocket', (socket) =>
      socket.on('framereceived', ({ payload }) => {
        admitted ||= String(payload).startsWith('40')
      }),
    )
    await giveCredentials(thief.page, email)
    await thief.page.getByRole('heading', { name: 'Start with a photo' }).waitFor()
    await until('the thief hears of things as they happen', () => admitted)
    await openSecurity(owner.page)
    await owner.page.getByRole('button', { name: /^Sign out on/ }).click()
    await owner.page.getByText('Signed out there.').waitFor()
    await thief.page.getByRole('heading', { name: 'Welcome back' }).waitFor()
    await owner.context.close()
    await thief.context.close()
  })

  it('makes an API key that works, shows it once, and asks for the password when the sign-in is old', async () => {
    const { page, context } = await openVisitor(browser, phone)
    await signUp(page)
    await openSecurity(page)
    // As if a quarter of an hour had passed: the service asks, the page goes on afterwards.
    let asked = false
    await page.route('**/api/identity/api-keys', (route) => {
      if (route.request().method() !== 'POST' || asked) return route.continue()
      asked = true
      const body = JSON.stringify({ code: 'reauthentication_required', title: 'x', status: 403 })
      return route.fulfill({ status: 403, contentType: 'application/problem+json', body })
    })
    await page.getByRole('button', { name: 'Make a key' }).click()
    await page.getByLabel('What is it for?').fill('Nightly backup')
    await page.getByLabel('read cosnap').check()
    await expectAccessible(page, 'new key')
    await page.getByRole('button', { name: 'Make the key' }).click()
    await page.getByRole('heading', { name: 'Is it you?' }).waitFor()
    await expectAccessible(page, 'question')
    await page.getByRole('dialog').getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Confirm' }).click()
    const key = await page.locator('.card .key').innerText()
    await expectNoSideways(page)
    const photos = await fetch(`${home}/api/cosnap/photos`, { headers: { authorization: `Bearer ${key}` } })
    expect(photos.status).toBe(200)
    await page.getByRole('button', { name: 'I have kept it' }).click()
    await page.getByText('Nightly backup').waitFor()
    await until('the key is gone', async () => !(await page.locator('main').innerText()).includes(key))
    await page.getByRole('button', { name: 'Revoke Nightly backup' }).click()
    await expectAccessible(page, 'revoking')
    await page.getByRole('button', { name: 'Revoke it' }).click()
    await page.getByText('This key opens nothing any more.').waitFor()
    await context.close()
  })
})
