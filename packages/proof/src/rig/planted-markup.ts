import type { Page } from 'playwright-core'

/** What a page does and must not. */
export interface PageWatch {
  readonly dialogs: string[]
  readonly violations: string[]
  readonly hosts: Set<string>
}

/** Everything that a page does from now on. */
export function watchPage(page: Page, seen: PageWatch = { dialogs: [], violations: [], hosts: new Set() }): PageWatch {
  page.on('dialog', (dialog) => {
    seen.dialogs.push(dialog.message())
    void dialog.dismiss()
  })
  page.on('console', (message) => {
    const text = message.text()
    if (/Content Security Policy|Trusted(HTML|Script)/.test(text)) seen.violations.push(text.slice(0, 200))
  })
  page.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url())
    if (protocol.startsWith('http') && hostname !== '127.0.0.1') seen.hosts.add(hostname)
  })
  return seen
}

/** Fields with words that people read. Ids, addresses of files, states and times are left as they are. */
const shown = new Set([
  'name',
  'line',
  'title',
  'detail',
  'text',
  'note',
  'problem',
  'task',
  'error',
  'version',
  'commit',
  'email',
  'device',
  'network',
  'hint',
  'account',
  'invitedBy',
  'subject',
  'to',
  'lastFour',
  'action',
  'userAgent',
])

/** As a server that was taken over would answer: every word that is shown has code in it. */
export async function plantInAnswers(page: Page, markup: string): Promise<void> {
  const planted = (key: string, value: unknown): unknown =>
    typeof value === 'string' && shown.has(key) ? value + markup : value
  await page.route(/\/(api|health)\//, async (route) => {
    // A page that has gone on waits for nothing that is slow.
    const response = await route.fetch().catch(() => undefined)
    if (!response) return route.abort().catch(() => undefined)
    const text = await response.text()
    await route.fulfill({ response, body: text.startsWith('{') ? JSON.stringify(JSON.parse(text, planted)) : text })
  })
}

/** Planted elements that the page made of text. */
export const plantedElements = (page: Page): Promise<number> =>
  page.locator('[onerror], [onload], img[src="x"]').count()
