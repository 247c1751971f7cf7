import type { Locator, Page, Request } from 'playwright-core'
import { breakEndpoint, leftoversOf, type PageFault } from './page-faults.ts'
import { PASSWORD, type Person, signIn } from './person.ts'
import type { Rig } from './rig.ts'
import type { Stack } from './stack.ts'
import { openPage, signUpIn, uploadIn } from './visitor.ts'
import { until } from './wait.ts'

const RUNS = { method: 'POST', path: '/api/cosnap/runs' }

/** Changes that a page sends, as `METHOD path`, with their key. */
function changesOf(page: Page): { readonly sent: { name: string; key: string | undefined }[] } {
  const sent: { name: string; key: string | undefined }[] = []
  page.on('request', (request: Request) => {
    const { pathname } = new URL(request.url())
    const isChange = !['GET', 'HEAD'].includes(request.method()) && pathname.startsWith('/api/')
    if (!isChange || pathname.endsWith('/refresh')) return
    sent.push({ name: `${request.method()} ${pathname}`, key: request.headers()['idempotency-key'] })
  })
  return { sent }
}

type ClickTwice = (
  change: { readonly method: string; readonly path: string },
  button: Locator,
  then: Locator,
) => Promise<void>

/** Every button that changes something, clicked twice while the service is slow, and once while its answer is lost. */
export async function doubleClicks(rig: Rig, stack: Stack) {
  const page = await openPage(rig)
  const { sent } = changesOf(page)
  const twice: string[] = []
  let buttons = 0
  const clickTwice: ClickTwice = async (change, button, then) => {
    const slow = await breakEndpoint(page, change, 'slow')
    sent.length = 0
    await button.dblclick()
    await then.waitFor()
    await slow.mend()
    buttons += slow.count() > 0 ? 1 : 0
    const name = `${change.method} ${change.path}`
    const same = sent.filter((one) => one.name === name)
    // Under one key the service itself does it once.
    if (new Set(same.map(({ key }, i) => key ?? i)).size !== 1) twice.push(`${name}: ${same.length} times`)
  }
  const mail = `twice-${Date.now()}@example.com`
  await enterTwice(page, stack, mail, clickTwice)
  await makeAndDeleteTwice(rig, page, stack, mail, clickTwice)
  await loseSignUp(page, stack, sent, twice)
  return { twice, buttons }
}

async function fillIn(page: Page, url: string, mail: string): Promise<void> {
  await page.goto(url)
  await page.getByLabel('E-mail').fill(mail)
  await page.getByLabel('Password').fill(PASSWORD)
}

async function enterTwice(page: Page, stack: Stack, mail: string, clickTwice: ClickTwice): Promise<void> {
  const post = (name: string) => ({ method: 'POST', path: `/api/identity/${name}` })
  const studio = page.getByRole('heading', { name: 'Start with a photo' })
  await fillIn(page, `${stack.url}/sign-up`, mail)
  await clickTwice(post('sign-up'), page.getByRole('button', { name: /^Make .*account/ }), studio)
  await page.getByRole('button', { name: 'Account', exact: true }).click()
  const start = page.getByRole('link', { name: 'I have an account' })
  await clickTwice(post('sign-out'), page.getByRole('button', { name: 'Sign out' }), start)
  await fillIn(page, `${stack.url}/sign-in`, mail)
  await clickTwice(post('sign-in'), page.getByRole('button', { name: 'Sign in', exact: true }), studio)
}

async function makeAndDeleteTwice(
  rig: Rig,
  page: Page,
  stack: Stack,
  mail: string,
  clickTwice: ClickTwice,
): Promise<void> {
  await uploadIn(rig, page)
  const photo = new URL(page.url()).pathname.split('/').at(-1)
  await page.getByRole('radio', { name: /Noir/ }).check({ force: true })
  const download = page.getByRole('link', { name: /Download/ })
  await clickTwice(RUNS, page.getByRole('button', { name: /Make Noir/ }), download)
  const person = await signIn(stack.url, mail)
  const [run, ...more] = await runsOf(person)
  // Made twice is counted above; the walk goes on with one.
  for (const { id } of more)
    await until(
      'the second one is deleted',
      async () => (await person.fetch(`${RUNS.path}/${id}`, { method: 'DELETE' })).ok,
    )
  await page.goto(`${stack.url}/cosnap/gallery`)
  await page.getByRole('button', { name: 'Delete Noir' }).click()
  const confirm = (name: string) => page.getByRole('button', { name, exact: true })
  const nothing = page.getByRole('heading', { name: 'Nothing made yet' })
  await clickTwice({ method: 'DELETE', path: `${RUNS.path}/${run?.id}` }, confirm('Delete'), nothing)
  await page.goto(`${stack.url}/cosnap/photos/${photo}`)
  await page.getByRole('button', { name: 'Delete this photo' }).click()
  const studio = page.getByRole('heading', { name: 'Start with a photo' })
  await clickTwice({ method: 'DELETE', path: `/api/cosnap/photos/${photo}` }, confirm('Delete photo'), studio)
}

/** An answer that is lost is no reason to send a change again that has no key. */
async function loseSignUp(page: Page, stack: Stack, sent: readonly { name: string }[], twice: string[]): Promise<void> {
  await page.context().clearCookies()
  await fillIn(page, `${stack.url}/sign-up`, `lost-${Date.now()}@example.com`)
  const path = '/api/identity/sign-up'
  const lost = await breakEndpoint(page, { method: 'POST', path }, 'offline', { delivered: true })
  const before = sent.length
  await page.getByRole('button', { name: /^Make .*account/ }).click()
  await page.getByRole('alert').first().waitFor()
  await lost.mend()
  if (sent.length - before !== 1) twice.push(`a sign-up whose answer was lost: ${sent.length - before} times`)
}

interface Wish {
  readonly fault: string
  readonly tries: number
  /** Different ones. */
  readonly keys: number
  readonly made: number
}

const troubles: readonly { fault: PageFault; delivered: boolean; times: number }[] = [
  { fault: 'offline', delivered: true, times: 2 },
  { fault: 'offline', delivered: false, times: 4 },
  { fault: '500', delivered: true, times: 1 },
  { fault: '429', delivered: false, times: 1 },
  { fault: '401', delivered: false, times: 1 },
]

/** An effect is wished for; what is sent or answered is lost; the page or the person tries again. */
export async function makeInTrouble(rig: Rig, stack: Stack): Promise<Wish[]> {
  const page = await openPage(rig)
  const mail = `wisher-${Date.now()}@example.com`
  await signUpIn(page, stack, `${stack.url}/sign-up`, mail)
  const person = await signIn(stack.url, mail)
  await uploadIn(rig, page)
  const photo = page.url()
  const { sent } = changesOf(page)
  const wishes: Wish[] = []
  for (const trouble of troubles) {
    // A page that has just been opened has tried nothing yet.
    await page.goto(photo)
    await page.getByRole('radio', { name: /Noir/ }).check({ force: true })
    const before = (await runsOf(person)).length
    sent.length = 0
    const broken = await breakEndpoint(page, RUNS, trouble.fault, trouble)
    const done = page.waitForResponse((answer) => answer.status() === 202 && answer.url().endsWith(RUNS.path))
    await page.getByRole('button', { name: /Make Noir/ }).click()
    const again = page.locator('.make').getByRole('button', { name: 'Try again' })
    await Promise.race([done, again.click()])
    await done
    await broken.mend()
    const wanted = sent.filter(({ name }) => name === `POST ${RUNS.path}`)
    const made = (await runsOf(person)).length - before
    const keys = new Set(wanted.map(({ key }) => key)).size
    wishes.push({
      fault: `${trouble.fault}${trouble.delivered ? ', delivered' : ''}`,
      tries: wanted.length,
      keys,
      made,
    })
  }
  return wishes
}

const runsOf = async (person: Person): Promise<readonly { id: string }[]> =>
  (await person.json<{ items: { id: string }[] }>('/api/cosnap/runs?limit=24')).items

/** Signs out with and without trouble: what remains afterwards, and whether a reload brings the person back. */
export async function leaveInTrouble(rig: Rig, stack: Stack): Promise<string[]> {
  const page = await openPage(rig)
  const mail = `leaver-${Date.now()}@example.com`
  await signUpIn(page, stack, `${stack.url}/sign-up`, mail)
  await uploadIn(rig, page, 'private-harbour.jpg')
  const photo = page.url()
  const found: string[] = []
  for (const fault of ['offline', '500', '429'] as const) {
    const broken = await breakEndpoint(page, { method: 'POST', path: '/api/identity/sign-out' }, fault)
    const { seemsOut, left } = await signOutFrom(page, photo, mail)
    await broken.mend()
    await page.goto(photo)
    const isOut = await isAtTheDoor(page)
    if (left.length || isOut !== seemsOut)
      found.push(`${fault}: it seemed ${seemsOut}, it was ${isOut}; ${left.join()}`)
  }
  const { left } = await signOutFrom(page, photo, mail)
  await page.goto(photo)
  if (left.length || !(await isAtTheDoor(page))) found.push(`without trouble: ${left.join()}`)
  if ((await page.context().cookies()).some(({ name, value }) => name.includes('refresh') && value))
    found.push('the cookie is still there')
  return found
}

/** What the page makes of it, and what remains when it looks as if nobody were signed in. */
async function signOutFrom(page: Page, address: string, mail: string) {
  await page.goto(address)
  await page.getByRole('button', { name: 'Account', exact: true }).click()
  await page.getByRole('button', { name: 'Sign out' }).click()
  const start = page.getByRole('link', { name: 'I have an account' })
  await start.or(page.locator('.toast')).first().waitFor()
  const seemsOut = await start.isVisible()
  return { seemsOut, left: seemsOut ? await leftoversOf(page, [mail, 'private-harbour', '/media/']) : [] }
}

/** Where a page of the person leads: to the sign-in, or to the page. */
async function isAtTheDoor(page: Page): Promise<boolean> {
  const door = page.getByRole('heading', { name: 'Welcome back' })
  await door
    .or(page.getByRole('button', { name: 'Delete this photo' }))
    .first()
    .waitFor()
  return door.isVisible()
}
