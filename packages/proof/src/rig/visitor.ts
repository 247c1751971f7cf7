import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { PASSWORD } from './person.ts'
import { jpegPhoto } from './photo.ts'
import type { Rig } from './rig.ts'
import type { Stack } from './stack.ts'

let visitors = 0
const PATIENCE_MS = 25_000

/** Where the first operator makes an account. */
export const operatorLink = (stack: Stack): string => {
  const path = /\/sign-up\?operator=[\w-]+/.exec(stack.output())?.[0]
  if (!path) throw new Error('the start printed no link for the first operator')
  return `${stack.url}${path}`
}

/** A page of a fresh browser window, as somebody sees it who comes for the first time. */
export async function openPage(rig: Rig, size = { width: 1_280, height: 900 }): Promise<Page> {
  const browser = await rig.browser()
  const context = await browser.newContext({ viewport: size, reducedMotion: 'reduce' })
  context.setDefaultTimeout(PATIENCE_MS)
  return context.newPage()
}

/** Makes an account by the form; `link` is the operator's, or the form's own address. */
export async function signUpIn(
  page: Page,
  stack: Stack,
  link = `${stack.url}/sign-up`,
  mail = `visitor-${Date.now()}-${++visitors}@example.com`,
): Promise<void> {
  await page.goto(link)
  await page.getByLabel('E-mail').fill(mail)
  await page.getByLabel('Password').fill(PASSWORD)
  await page.getByRole('button', { name: /^Make .*account/ }).click()
  await page.getByRole('button', { name: 'Account', exact: true }).waitFor()
  // The operator's way leads elsewhere first.
  await page.goto(`${stack.url}/cosnap`)
  await page.getByRole('heading', { name: 'Start with a photo' }).waitFor()
}

/** Chooses a photo in the studio and waits for its page with all previews. */
export async function uploadIn(rig: Rig, page: Page, name = 'boat.jpg'): Promise<void> {
  const path = join(rig.scratch, name)
  writeFileSync(path, await jpegPhoto(1_200, 900))
  // A page that was made ahead takes nothing yet.
  await page.locator('#root:not([inert])').waitFor({ state: 'attached' })
  await page.getByTestId('photo-file').setInputFiles(path)
  await page.getByRole('radio', { name: /Noir/ }).waitFor({ state: 'attached' })
  await page.waitForFunction(() => document.querySelectorAll('.effect img').length >= 12)
}

/** Keeps a key of a provider, on the page of those keys. */
export async function keepKeyIn(page: Page, stack: Stack): Promise<void> {
  await page.goto(`${stack.url}/settings/keys`)
  await page.getByRole('button', { name: 'Add a key' }).click()
  await page.getByLabel('Provider').fill('openai')
  await page.getByLabel('Key', { exact: true }).fill('sk-0123456789abcdef')
  await page.getByRole('button', { name: 'Keep this key' }).click()
  await page.getByRole('button', { name: 'Replace the key of openai' }).waitFor()
}

/** Chooses Noir and has it made. */
export async function makeNoirIn(page: Page): Promise<void> {
  await page.getByRole('radio', { name: /Noir/ }).check({ force: true })
  await page.getByRole('button', { name: /Make Noir/ }).click()
  await page.getByRole('link', { name: /Download/ }).waitFor()
}
