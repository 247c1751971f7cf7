import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { type Installation, jpegPhoto, openInstallation, until } from '@seaworthy/testkit'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibilityFaults, chromiumPath, desk, openChromium, openVisitor, phone, warningsOf } from './chromium.ts'

const password = 'three calm words'
const sizes = [
  ['a desktop', desk],
  ['a phone', phone],
] as const

// Without a browser these are reported as skipped; in CI that is a failure (scripts/test.js).
describe.skipIf(!chromiumPath)('the pages of keys, activity and data', () => {
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

  let people = 0
  async function signUp(page: Page): Promise<string> {
    const email = `settings-${++people}@example.com`
    await page.goto(`${installation.url}/sign-up`)
    await page.getByLabel('E-mail').fill(email)
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Make my account' }).click()
    await page.getByRole('heading', { name: 'Start with a photo' }).waitFor()
    return email
  }
  async function open(page: Page, name: string): Promise<void> {
    await page.getByRole('button', { name: 'Account', exact: true }).click()
    await page.getByRole('link', { name }).click()
    await page.getByRole('heading', { name, exact: true }).waitFor()
    await page.waitForFunction(() => !document.querySelector('.skeleton'))
  }
  async function expectInOrder(page: Page, where: string): Promise<void> {
    expect(await accessibilityFaults(page), where).toEqual([])
    const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    expect(beyond, where).toBeLessThanOrEqual(0)
  }
  /** As if a quarter of an hour had passed: the service asks who is there, once. */
  async function growOld(page: Page, path: string): Promise<void> {
    let asked = false
    await page.route(path, (route) => {
      if (route.request().method() === 'GET' || asked) return route.continue()
      asked = true
      const body = JSON.stringify({ code: 'reauthentication_required', title: 'x', status: 403 })
      return route.fulfill({ status: 403, contentType: 'application/problem+json', body })
    })
  }

  it.each(sizes)('keeps a key, replaces it and forgets it, and never shows it again, on %s', async (_, size) => {
    const { page, context, complaints } = await openVisitor(browser, size)
    await signUp(page)
    await open(page, 'Provider keys')
    await page.getByRole('heading', { name: 'No keys yet' }).waitFor()
    await expectInOrder(page, 'no keys')
    await growOld(page, '**/api/vault/provider-keys')
    const secrets = ['sk-first-0123456789abcdef', 'sk-second-0123456789wxyz']
    await page.getByRole('button', { name: 'Add a key' }).click()
    await page.getByLabel('Provider').fill('OpenAI')
    await page.getByLabel('Key', { exact: true }).fill(secrets[0] ?? '')
    await expectInOrder(page, 'a new key')
    // By the keyboard, which is where the focus is.
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Is it you?' }).waitFor()
    await page.getByRole('dialog').getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Confirm' }).click()
    await page.getByText('The key of openai is kept.').waitFor()
    await page.getByText('cdef').waitFor()
    await expectInOrder(page, 'keys')
    await page.getByRole('button', { name: 'Replace the key of openai' }).click()
    await page.getByLabel('Key', { exact: true }).fill(secrets[1] ?? '')
    await expectInOrder(page, 'replacing')
    await page.getByRole('button', { name: 'Replace', exact: true }).click()
    await page.getByText('wxyz').waitFor()
    await page.reload()
    await page.getByText('wxyz').waitFor()
    const html = await page.content()
    expect(secrets.filter((secret) => html.includes(secret.slice(0, -4)))).toEqual([])
    await page.getByRole('button', { name: 'Remove the key of openai' }).click()
    await expectInOrder(page, 'the question')
    await page.getByRole('button', { name: 'Forget it' }).click()
    await page.getByRole('heading', { name: 'No keys yet' }).waitFor()
    expect(
      complaints.filter((line) => !line.includes('status of 403')),
      warningsOf(installation.output()),
    ).toEqual([])
    await context.close()
  })

  it('says what is wrong with a key, and keeps what was typed', async () => {
    const { page, context } = await openVisitor(browser, desk)
    await signUp(page)
    await open(page, 'Provider keys')
    await page.getByRole('button', { name: 'Add a key' }).click()
    await page.getByLabel('Provider').fill('open ai')
    await page.getByLabel('Key', { exact: true }).fill('sk-0123456789abcdef')
    await page.getByRole('button', { name: 'Keep this key' }).click()
    await page.getByText('must be lower case letters').waitFor()
    expect(await page.getByLabel('Provider').inputValue()).toBe('open ai')
    await context.close()
  })

  it.each(sizes)(
    'tells in plain words what happened, chooses among it and goes back in time, on %s',
    { timeout: 120_000 },
    async (_, size) => {
      const { page, context, complaints } = await openVisitor(browser, size)
      await signUp(page)
      // More than one page of changes, of which some are refused.
      await page.evaluate(async () => {
        const answer = await fetch('/api/identity/refresh', { method: 'POST' })
        const { accessToken } = await answer.json()
        const headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' }
        for (let i = 0; i < 34; i++)
          await fetch('/api/vault/provider-keys', {
            method: 'PUT',
            headers,
            body: JSON.stringify({ name: i % 2 ? 'openai' : 'not a name', secret: 'sk-0123456789abcdef' }),
          })
      })
      await page.goto(`${installation.url}/settings/activity`)
      await page.getByText('refused: not understood').first().waitFor()
      await expectInOrder(page, 'activity')
      const lines = page.locator('.entry')
      expect(await lines.count()).toBe(30)
      await page.getByRole('button', { name: 'Show older ones' }).click()
      await lines.getByText('Account made', { exact: true }).waitFor()
      expect(await lines.getByText('Sign-in went on').count()).toBe(0)
      await page.getByLabel('How it ended').selectOption('Refused')
      await until('only refused ones', async () => (await lines.count()) === 17)
      await page.getByLabel('How it ended').selectOption('Either way')
      await page.getByRole('radio', { name: 'Security' }).check({ force: true })
      await lines.getByText('Account made', { exact: true }).waitFor()
      await until('no other kind', async () => (await lines.getByText('Provider key').count()) === 0)
      expect(page.url()).toContain('kind=security')
      // What is chosen is in the address.
      await page.reload()
      await lines.getByText('Account made', { exact: true }).waitFor()
      const entry = page.locator('summary').first()
      await entry.focus()
      await page.keyboard.press('Enter')
      await page.getByText('127.0.x.x (shortened)').first().waitFor()
      await expectInOrder(page, 'a line')
      await page.getByLabel('How it ended').selectOption('Refused')
      await page.getByRole('heading', { name: 'Nothing like that' }).waitFor()
      await expectInOrder(page, 'nothing')
      await page.getByRole('button', { name: 'Show everything' }).click()
      await page.getByText('refused: not understood').first().waitFor()
      expect(
        complaints.filter((line) => !/status of 40[01]/.test(line)),
        warningsOf(installation.output()),
      ).toEqual([])
      await context.close()
    },
  )

  it('exports the lines that were chosen, and refuses that to members with the reason', async () => {
    const { page, context } = await openVisitor(browser, desk)
    await signUp(page)
    await open(page, 'Activity')
    await page.getByRole('radio', { name: 'Security' }).check({ force: true })
    for (const [name, form] of [
      ['CSV', /^at,kind,action/],
      ['JSON', /^\{"id"/],
    ] as const) {
      const saved = page.waitForEvent('download')
      await page.getByRole('button', { name }).click()
      const text = readFileSync(await (await saved).path(), 'utf8')
      expect(text).toMatch(form)
      expect(text).toContain('sign_up')
      expect(text).not.toContain('"change"')
    }
    await page.route('**/api/identity/refresh', async (route) => {
      const response = await route.fetch()
      const answer = await response.json()
      await route.fulfill({ response, json: { ...answer, user: { ...answer.user, role: 'member' } } })
    })
    await page.reload()
    await page.getByText('Exports are for the admins and owners').waitFor()
    expect(await page.getByRole('button', { name: 'CSV' }).getAttribute('aria-disabled')).toBe('true')
    await page.goto(`${installation.url}/settings/keys`)
    await page.getByRole('heading', { name: 'For admins and owners' }).waitFor()
    await context.close()
  })

  it.each(sizes)(
    'gives somebody their data, and removes them for good, on %s',
    { timeout: 120_000 },
    async (_, size) => {
      const { page, context, complaints } = await openVisitor(browser, size)
      const email = await signUp(page)
      await page
        .getByTestId('photo-file')
        .setInputFiles({ name: 'harbour.jpg', mimeType: 'image/jpeg', buffer: Buffer.from(await jpegPhoto(640, 480)) })
      await page.getByRole('radio', { name: /Noir/ }).waitFor({ state: 'attached' })
      await open(page, 'Your data')
      const photos = page.getByRole('listitem').filter({ hasText: 'Photos that you uploaded' })
      expect(await photos.innerText()).toMatch(/\b1$/)
      await page.getByText('for 400 days').first().waitFor()
      await expectInOrder(page, 'data')

      const submit = page.getByRole('button', { name: 'Download my data' })
      await page.getByLabel('Your password').fill('not this one')
      await submit.click()
      await page.getByText('That is not your password.').waitFor()
      await page.getByLabel('Your password').fill(password)
      const saved = page.waitForEvent('download')
      await submit.click()
      const file = await (await saved).path()
      expect(statSync(file).size).toBeGreaterThan(1_000)
      const names = execFileSync('python3', ['-m', 'zipfile', '-l', file], { encoding: 'utf8' })
      expect(names).toContain('data/cosnap.photos.jsonl')
      await page.getByText('your-data.zip is saved').waitFor()

      await page.getByRole('button', { name: 'Delete my account' }).click()
      const dialog = page.getByRole('dialog')
      await expectInOrder(page, 'the last question')
      await dialog.getByLabel('Your password').fill('not this one')
      expect(await dialog.getByRole('button', { name: 'Delete everything' }).getAttribute('aria-disabled')).toBe('true')
      await dialog.getByLabel('Type').fill('erase everything')
      await page.keyboard.press('Enter')
      await dialog.getByText('That is not your password.').waitFor()
      await dialog.getByLabel('Your password').fill(password)
      await page.keyboard.press('Enter')
      await page.getByText('Your account and everything in it is gone.').waitFor()
      await page.getByRole('link', { name: 'I have an account' }).waitFor()
      expect(new URL(page.url()).pathname).toBe('/')
      expect(await page.evaluate(() => document.documentElement.outerHTML)).not.toContain(email)
      await page.goto(`${installation.url}/sign-in`)
      await page.getByLabel('E-mail').fill(email)
      await page.getByLabel('Password').fill(password)
      await page.getByRole('button', { name: 'Sign in', exact: true }).click()
      await page.getByText('That did not match.').waitFor()
      expect(
        complaints.filter((line) => !line.includes('status of 401')),
        warningsOf(installation.output()),
      ).toEqual([])
      await context.close()
    },
  )

  it('says when an export breaks off, and keeps no half of it', async () => {
    const { page, context } = await openVisitor(browser, desk)
    await signUp(page)
    await open(page, 'Your data')
    let downloads = 0
    page.on('download', () => downloads++)
    await page.route('**/api/privacy/export', (route) => route.abort('connectionreset'))
    await page.getByLabel('Your password').fill(password)
    await page.getByRole('button', { name: 'Download my data' }).click()
    await page.getByRole('alert').getByText('No connection.').waitFor()
    await expectInOrder(page, 'a broken export')
    expect(downloads).toBe(0)
    await context.close()
  })

  it('leaves an account with other people to another owner before it goes', async () => {
    const { page, context } = await openVisitor(browser, desk)
    await signUp(page)
    await page.route('**/api/privacy/erase', (route) =>
      route.fulfill({
        status: 409,
        contentType: 'application/problem+json',
        body: JSON.stringify({
          code: 'conflict',
          status: 409,
          title: 'x',
          detail: 'Make another one the owner first.',
        }),
      }),
    )
    await open(page, 'Your data')
    await page.getByRole('button', { name: 'Delete my account' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Your password').fill(password)
    await dialog.getByLabel('Type').fill('erase everything')
    await dialog.getByRole('button', { name: 'Delete everything' }).click()
    await dialog.getByText('Make another one the owner first.').waitFor()
    await dialog.getByRole('button', { name: 'Keep my account' }).click()
    await page.getByRole('heading', { name: 'Your data' }).waitFor()
    await context.close()
  })

  it('asks before data leaves, sends back the version that was read, and takes it back as easily', async () => {
    const { page, context } = await openVisitor(browser, phone)
    await signUp(page)
    // No app of this installation asks for anything: the answers are as the service gives them.
    const asked = {
      purpose: 'notes.outside-reading',
      title: 'Reading by another service',
      text: 'Your notes are sent to Acme to be read.',
      version: 3,
      data: ['notes'],
      recipient: 'Acme',
    }
    let [given, sent] = [false, '']
    const decision = () => ({ given, version: 3, at: new Date().toISOString(), byYou: true })
    await page.route('**/api/privacy/consents', (route) =>
      route.fulfill({ json: { items: [{ ...asked, given, decision: sent ? decision() : null }] } }),
    )
    await page.route('**/api/privacy/consents/history*', (route) =>
      route.fulfill({ json: { items: sent ? [{ ...asked, ...decision(), id: '1', how: 'page' }] : [], next: null } }),
    )
    await page.route('**/api/privacy/consents/notes.outside-reading', (route) => {
      given = route.request().method() === 'PUT'
      sent += `${route.request().method()} ${route.request().postData() ?? ''};`
      return route.fulfill({ status: 204 })
    })
    await open(page, 'Your data')
    await page.getByText('seen by Acme').waitFor()
    await expectInOrder(page, 'not agreed')
    await page.getByRole('button', { name: 'Agree: Reading by another service' }).click()
    await page.getByText('agreed', { exact: true }).waitFor()
    await page.getByText('What was agreed to and taken back until now').click()
    await expectInOrder(page, 'agreed')
    await page.getByRole('button', { name: 'Take back: Reading by another service' }).click()
    await page.getByRole('button', { name: 'Agree: Reading by another service' }).waitFor()
    expect(sent).toBe('PUT {"version":3};DELETE ;')
    await context.close()
  })
})
