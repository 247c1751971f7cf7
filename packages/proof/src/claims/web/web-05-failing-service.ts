import type { Page } from 'playwright-core'
import { atLeast, defineClaim, exactly } from '../../claim.ts'
import {
  breakEndpoint,
  type Endpoint,
  endpointsOf,
  isWhite,
  leftoversOf,
  type PageFault,
  pageFaults,
} from '../../rig/page-faults.ts'
import type { Rig } from '../../rig/rig.ts'
import type { Stack } from '../../rig/stack.ts'
import { makeNoirIn, openPage, operatorLink, signUpIn, uploadIn } from '../../rig/visitor.ts'
import { doubleClicks, leaveInTrouble, makeInTrouble } from '../../rig/visitor-in-trouble.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

/** How long a page may show nothing, on a busy machine, while the service is slow. */
const WHITE_MS = 2_500
const ASKED_MS = 10_000
const settings = ['/members', '/settings/security', '/settings/keys', '/settings/activity', '/settings/privacy']
/** Without these a page is as useful, and says nothing. */
const spared = [
  '/api/cosnap/runs on /cosnap/photos',
  '/api/identity/me',
  '/api/identity/accounts',
  '/api/cosnap/effects on /cosnap/gallery',
  '/api/cosnap/credits on /cosnap/photos',
  '/api/audit/statistics on /settings/activity',
]

export const claim = defineClaim({
  id: 'WEB-05',
  says: 'Whichever endpoint is offline, slow, failing or refusing, every page shows something and says what is wrong; nothing is sent or made twice, a second try carries the first key, and a session that ended leaves nothing in the browser',
  answers: ['W5', 'W6', 'ASVS 14.3.1'],
  witness: 'Chromium, each endpoint intercepted',
  needs: ['chromium'],
  tier: 'soak',
  seconds: 80,
  limits: {
    'white screens': exactly(0, 'screens'),
    'failures that no words tell': exactly(0, 'failures'),
    'changes sent twice by a double click or a retry': exactly(0, 'changes'),
    'wishes not made exactly once, under one key': exactly(0, 'wishes'),
    'ended sessions that left something, or only seemed to end': exactly(0, 'sessions'),
    'endpoints broken in five ways each': atLeast(22, 'endpoints'),
  },
  experiment: async (rig) => {
    const stack = await rig.start()
    const seen: Seen = { white: [], silent: [], left: [], unasked: [], broken: 0 }
    const around = (door: string, paths: readonly string[]) => lookAround(rig, stack, seen, door, paths)
    const [{ twice, wishes, leavings }] = await Promise.all([
      (async () => ({
        twice: await doubleClicks(rig, stack),
        wishes: await makeInTrouble(rig, stack),
        leavings: await leaveInTrouble(rig, stack),
      }))(),
      around(operatorLink(stack), ['/operations', '/cosnap', '/cosnap/credits']).then(() =>
        around(`${stack.url}/sign-up`, ['photo', '/cosnap/gallery']),
      ),
      around(`${stack.url}/sign-up`, settings),
    ])
    const bad = wishes.filter(({ keys, made }) => keys !== 1 || made !== 1)
    return {
      measured: {
        'white screens': seen.white.length,
        'failures that no words tell': seen.silent.length,
        'changes sent twice by a double click or a retry': twice.twice.length,
        'wishes not made exactly once, under one key': bad.length,
        'ended sessions that left something, or only seemed to end': seen.left.length + leavings.length,
        'endpoints broken in five ways each': seen.broken / pageFaults.length,
      },
      met: {
        'six buttons were clicked twice while the service was slow': twice.buttons === 6,
        'five wishes met a fault': wishes.length === 5 && wishes.every(({ tries }) => tries > 1),
      },
      evidence: [
        ...seen.unasked.map((name) => `not asked for: ${name}`),
        ...seen.white,
        ...seen.silent,
        ...seen.left,
        ...twice.twice,
        ...leavings,
        ...bad.map((wish) => JSON.stringify(wish)),
      ],
    }
  },
  sabotages: [
    patch(
      'each try has a key of its own',
      'web/dist/assets/photo-page-*.js',
      'key:crypto.randomUUID()',
      'get key(){return crypto.randomUUID()}',
    ),
    patch('a failure of the studio is not told', 'web/dist/assets/studio-page-*.js', 'isError&&', 'isError&&!1&&'),
    patch(
      'changes without a key are sent again',
      'web/dist/assets/removable-*.js',
      '.headers.has(`idempotency-key`)',
      '.headers.has(`idempotency-key`)||!0',
    ),
  ],
})

interface Seen {
  readonly white: string[]
  readonly silent: string[]
  readonly left: string[]
  readonly unasked: string[]
  broken: number
}

/** Pages one after the other, each with each of its endpoints broken in every way. */
async function lookAround(rig: Rig, stack: Stack, seen: Seen, door: string, paths: readonly string[]): Promise<void> {
  const page = await openPage(rig)
  // Where nothing is that would be fetched because it is pointed at.
  await page.mouse.move(1, 1)
  const mail = `around-${paths.length}@example.com`
  await signUpIn(page, stack, door, mail)
  await uploadIn(rig, page, 'private-harbour.jpg')
  const photo = new URL(page.url()).pathname
  await makeNoirIn(page)
  const stored = await page.evaluate(() => ({ ...localStorage }))
  const done = new Set<string>()
  for (const path of paths.map((path) => (path === 'photo' ? photo : path))) {
    const url = `${stack.url}${path}`
    for (const endpoint of await endpointsOf(page, url)) {
      const name = `${endpoint.method} ${endpoint.path}`
      // What every page asks for is broken on one of them.
      if (endpoint.path.startsWith('/api/identity/') && done.has(name)) continue
      done.add(name)
      for (const fault of pageFaults) await look(page, { url, path, endpoint, fault, mail, stored }, seen)
    }
  }
}

interface Visit {
  readonly url: string
  readonly path: string
  readonly endpoint: Endpoint
  readonly fault: PageFault
  readonly mail: string
  /** What a page remembers of somebody who is signed in. */
  readonly stored: Readonly<Record<string, string>>
}

async function look(page: Page, { url, path, endpoint, fault, mail, stored }: Visit, seen: Seen): Promise<void> {
  const name = `${fault} ${endpoint.path} on ${path}`
  // An answer that made the page forget it was no answer of the service, where the session goes on.
  await page.evaluate((items) => Object.assign(localStorage, items), stored)
  const broken = await breakEndpoint(page, endpoint, fault)
  await page.goto(url)
  await until('it is asked for', () => broken.count() > 0, ASKED_MS).catch(() => undefined)
  if (broken.count() === 0) seen.unasked.push(name)
  else await judge(page, { name, fault, mail, isApi: endpoint.path.startsWith('/api/') }, seen)
  await broken.mend()
}

interface Met {
  readonly name: string
  readonly fault: PageFault
  readonly mail: string
  readonly isApi: boolean
}

async function judge(page: Page, { name, fault, mail, isApi }: Met, seen: Seen): Promise<void> {
  seen.broken++
  const shows = await until('it shows something', async () => !(await isWhite(page)), WHITE_MS).catch(() => false)
  if (!shows) seen.white.push(name)
  const told = page
    .getByRole('alert')
    .or(page.getByRole('button', { name: 'Sign in', exact: true }))
    .or(page.getByText('Sign in', { exact: true }))
  const mustTell = fault !== 'slow' && !spared.some((one) => name.includes(one))
  const isTold =
    !mustTell ||
    (await told
      .filter({ visible: true })
      .first()
      .waitFor({ timeout: ASKED_MS })
      .then(
        () => true,
        () => false,
      ))
  if (!isTold) seen.silent.push(name)
  // The page of operators says that it is theirs, and the session goes on.
  if (fault !== '401' || !isApi) return
  const left = () => leftoversOf(page, [mail, 'private-harbour', '/media/'])
  const isClean = await until('nothing is left', async () => (await left()).length === 0, WHITE_MS).catch(() => false)
  if (!isClean) seen.left.push(`${name}: ${(await left()).join(', ')}`)
}
