import { type Installation, openInstallation } from '@seaworthy/testkit'
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
describe.skipIf(!chromiumPath)('the pages of members', () => {
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

  it('invites somebody by a link, who works in the account until they are removed', async () => {
    const [owner, guest] = [await visit(desk), await visit(phone)]
    const refused: string[] = []
    for (const { page } of [owner, guest])
      page.on('response', (response) => {
        if (response.status() === 400) refused.push(`${response.request().method()} ${response.url()}`)
      })
    await signUp(owner.page)
    await owner.page.getByRole('button', { name: 'Account' }).click()
    await owner.page.getByRole('link', { name: 'Members' }).click()
    await owner.page.getByLabel('What it is called').fill('Harbour office')
    await owner.page.getByRole('button', { name: 'Make it' }).click()
    const email = `guest-${Math.random().toString(36).slice(2)}@example.com`
    await owner.page.getByLabel('E-mail').fill(email)
    await owner.page.getByRole('button', { name: 'Invite', exact: true }).click()
    const link = new URL(await owner.page.locator('.link-shown code').innerText())
    await expectAccessible(owner.page, 'members')

    await guest.page.goto(`${installation.url}${link.pathname}${link.hash}`)
    await guest.page.getByRole('link', { name: 'Make an account' }).waitFor()
    await expectAccessible(guest.page, 'invitation')
    await guest.page.getByRole('link', { name: 'Make an account' }).click()
    await guest.page.getByLabel('E-mail').fill(email)
    await guest.page.getByLabel('Password').fill('three calm words')
    await guest.page.getByRole('button', { name: 'Make my account' }).click()
    await guest.page.getByRole('button', { name: 'Join Harbour office' }).click()
    await guest.page.getByRole('heading', { name: 'Start with a photo' }).waitFor()
    await guest.page.getByRole('link', { name: 'Credits' }).click()
    await guest.page.getByRole('heading', { name: 'Credits' }).waitFor()
    expect(await guest.page.locator('.balance dd').allInnerTexts()).toEqual(['0', '0', '0'])

    await owner.page.reload()
    await owner.page.getByRole('button', { name: `Remove ${email}` }).click()
    await owner.page.getByRole('button', { name: 'Remove', exact: true }).click()
    await guest.page.getByText('Welcome gift').waitFor()
    expect(await guest.page.locator('.balance dd').allInnerTexts()).toEqual(['20', '0', '0'])
    expect(refused).toEqual([])
    const complaints = [...owner.complaints, ...guest.complaints].filter((line) => !line.includes('status of 401'))
    expect(complaints, warningsOf(installation.output())).toEqual([])
    await owner.context.close()
    await guest.context.close()
  })
})
