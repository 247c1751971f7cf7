import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Locator, Page } from 'playwright-core'
import { atLeast, defineClaim, exactly } from '../../claim.ts'
import type { Rig } from '../../rig/rig.ts'
import type { Stack } from '../../rig/stack.ts'
import { keepKeyIn, makeNoirIn, openPage, operatorLink, signUpIn, uploadIn } from '../../rig/visitor.ts'
import { patch } from '../../sabotage.ts'

interface Violation {
  readonly id: string
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[]
}

/** Looks at what is on the screen now, in both colour schemes. */
type Look = (where: string) => Promise<void>

export const claim = defineClaim({
  id: 'WEB-02',
  says: 'Every page and dialog, signed in and out, light and dark, passes the automated accessibility rules',
  answers: ['W7', 'W8'],
  witness: 'axe-core in Chromium',
  needs: ['chromium'],
  tier: 'full',
  seconds: 60,
  limits: {
    'violations of accessibility rules': exactly(0, 'violations'),
    'views looked at, each light and dark': atLeast(29, 'views'),
  },
  experiment: async (rig) => {
    const stack = await rig.start()
    const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
    const page = await openPage(rig)
    const views: string[] = []
    const violations: string[] = []
    const look: Look = async (where) => {
      views.push(where)
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        for (const { id, nodes } of await violationsOn(page, axe))
          violations.push(
            `${where}, ${colorScheme}: ${id} ${nodes[0]?.html.slice(0, 100)} ${nodes[0]?.failureSummary ?? ''}`,
          )
      }
    }
    await lookSignedOut(page, stack.url, look)
    await lookSignedIn(rig, page, stack, look)
    return {
      measured: {
        'violations of accessibility rules': violations.length,
        'views looked at, each light and dark': new Set(views).size,
      },
      met: { 'no view was looked at twice': new Set(views).size === views.length },
      evidence: [views.join(', '), ...violations.slice(0, 20)],
    }
  },
  sabotages: [
    patch('a button has no name', 'web/dist/assets/photo-page-*.js', '"aria-label":`Delete this photo`,', ''),
    patch('soft words are too dark in the dark', 'web/dist/index.html', '#9db0bb', '#3d4c57'),
    patch('the pages do not say their language', 'web/dist/index.html', '<html lang="en">', '<html>'),
  ],
})

/** From outside the page's policy, as an extension would, once the colours are painted. Movements are ended first. */
async function violationsOn(page: Page, axe: string): Promise<readonly Violation[]> {
  await page.evaluate(async () => {
    const painted = (): Promise<number> => new Promise((resolve) => requestAnimationFrame(resolve))
    await painted()
    await painted()
    for (const animation of document.getAnimations()) animation.cancel()
  })
  await page.evaluate(axe)
  const { violations } = await page.evaluate<{ violations: readonly Violation[] }>('axe.run()')
  return violations
}

async function lookSignedOut(page: Page, url: string, look: Look): Promise<void> {
  for (const path of ['/', '/sign-in', '/sign-up', '/docs', '/docs/errors', '/nowhere']) {
    await page.goto(`${url}${path}`)
    await page.getByRole('heading').first().waitFor()
    await look(path)
  }
  await page.goto(`${url}/sign-in`)
  await page.getByLabel('E-mail').fill('nobody@example.com')
  await page.getByLabel('Password').fill('not the password')
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByRole('alert').first().waitFor()
  await look('a refused sign-in')
}

async function lookSignedIn(rig: Rig, page: Page, stack: Stack, look: Look): Promise<void> {
  const visit = async (path: string, heading: string | RegExp): Promise<void> => {
    await page.goto(`${stack.url}${path}`)
    await page.getByRole('heading', { name: heading }).first().waitFor()
    await look(path)
  }
  const askAndKeep = async (where: string, button: Locator): Promise<void> => {
    await button.click()
    await page.getByRole('dialog').waitFor()
    await look(`the question on ${where}`)
    await page.getByRole('button', { name: 'Keep it' }).click()
  }
  await signUpIn(page, stack, operatorLink(stack))
  await look('studio, empty')
  await visit('/cosnap/gallery', 'Nothing made yet')
  await visit('/cosnap/credits', 'Credits')
  await visit('/operations', 'Jobs that failed for good')
  await visit('/operations/recovery', 'Nothing is backed up here')
  await visit('/members', 'Members')
  await visit('/settings/security', 'Security')
  await lookAtSettings(page, stack, visit, look)
  await visit('/cosnap/nowhere', /./)
  await visit(`/cosnap/photos/${randomUUID()}`, 'This photo is not here any more')
  await page.goto(`${stack.url}/cosnap`)
  await uploadIn(rig, page)
  await look('a photo')
  await askAndKeep('a photo', page.locator('.editor-head button'))
  await page.getByRole('radio', { name: /Noir/ }).check({ force: true })
  await page.getByText('Preview, small and free').waitFor()
  await look('a preview')
  await makeNoirIn(page)
  await look('a result')
  await page.goto(`${stack.url}/cosnap/gallery`)
  await page.getByRole('button', { name: 'Delete Noir' }).waitFor()
  await look('gallery')
  await askAndKeep('the gallery', page.getByRole('button', { name: 'Delete Noir' }))
  await page.goto(`${stack.url}/cosnap`)
  await page.locator('a[href^="/cosnap/photos/"]').first().waitFor()
  await look('studio')
}

type Visit = (path: string, heading: string) => Promise<void>

/** Keys, activity and data, with something in them. */
async function lookAtSettings(page: Page, stack: Stack, visit: Visit, look: Look): Promise<void> {
  await visit('/settings/keys', 'No keys yet')
  await keepKeyIn(page, stack)
  await look('keys')
  await page.getByRole('button', { name: 'Remove the key of openai' }).click()
  await look('the question on keys')
  await page.getByRole('button', { name: 'Keep it' }).click()
  await page.getByRole('button', { name: 'Replace the key of openai' }).click()
  await look('another key')
  await page.goto(`${stack.url}/settings/activity`)
  await page.locator('summary').first().click()
  await look('activity')
  await page.goto(`${stack.url}/settings/privacy`)
  await page.locator('.kept').waitFor()
  await look('data')
  await page.getByRole('button', { name: 'Delete my account' }).click()
  await look('the last question')
}
