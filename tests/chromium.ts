import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'

const programs = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const quiet = [
  '--no-sandbox',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
]

/** Undefined where there is no browser. */
export const chromiumPath = process.env.CHROMIUM ?? programs.find((path) => existsSync(path))

export const openChromium = (): Promise<Browser> => chromium.launch({ executablePath: chromiumPath ?? '', args: quiet })

/** A busy machine is no fault of a page. */
const PATIENCE_MS = 60_000

export const desk = { width: 1_440, height: 900 }
export const phone = { width: 390, height: 844 }

export interface Visitor {
  readonly page: Page
  readonly context: BrowserContext
  /** What the page complained about: errors, and violations of its own policy. */
  readonly complaints: string[]
}

/** Somebody new, in light on a desk and in the dark on a phone. */
export async function openVisitor(browser: Browser, size: { width: number; height: number }): Promise<Visitor> {
  const isPhone = size.width < 500
  const context = await browser.newContext({
    viewport: size,
    hasTouch: isPhone,
    colorScheme: isPhone ? 'dark' : 'light',
    acceptDownloads: true,
  })
  context.setDefaultTimeout(PATIENCE_MS)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`${message.text()} ${message.location().url}`)
  })
  return { page, context, complaints }
}

/** The last warnings and errors of an installation, for the message of a test that failed. */
export const warningsOf = (output: string): string =>
  output
    .split('\n')
    .filter((line) => /"level":"(warn|error)"/.test(line))
    .slice(-12)
    .join('\n')

/** The automated accessibility rules, from outside the page's policy, as an extension would. */
export async function accessibilityFaults(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() =>
    (
      globalThis as unknown as {
        axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
      }
    ).axe.run(),
  )
  return violations.map((violation) => `${violation.id}: ${violation.nodes[0]?.html.slice(0, 120)}`)
}
