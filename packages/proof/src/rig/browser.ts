import type { Browser } from 'playwright-core'
import { findProgram } from './programs.ts'

/** A real browser. The caller closes it. */
export async function openBrowser(): Promise<Browser> {
  const { chromium } = await import('playwright-core')
  const executablePath = findProgram('chromium')
  if (!executablePath) throw new Error('Chromium is not here')
  return chromium.launch({ executablePath, args: ['--no-sandbox'] })
}
