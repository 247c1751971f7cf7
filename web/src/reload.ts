import { isSomethingEntered, isSomethingUnderWay } from './unsaved.ts'

const UNSEEN_KEY = 'reloaded-for'
const CODE_KEY = 'reloaded-for-code'
const NOTED_MAX = 20
const FIRST_MS = 5_000
/** Not all tabs that nobody looks at come back at the same moment. */
const SPREAD_MS = 60_000

/** The build of the pages that this page is of. */
export const ownBuild = (): string | undefined => document.querySelector<HTMLMetaElement>('meta[name="build"]')?.content

/** True when no reload for this has happened in this tab, and notes that it does now. Never where nothing can be noted: it would not end. */
function noteOnce(key: string, what: string): boolean {
  try {
    const noted = (sessionStorage.getItem(key) ?? '').split(',')
    if (noted.includes(what)) return false
    sessionStorage.setItem(key, [...noted.slice(-NOTED_MAX), what].join())
    return true
  } catch {
    return false
  }
}

/**
 * Reloads while nobody looks and nothing would be lost, once for each build: while two releases answer in turn, it must not
 * go back and forth. Gives what ends it.
 */
export function reloadUnseen(served: string, isBusy: () => boolean): () => void {
  let timer: ReturnType<typeof setTimeout>
  const attempt = (): void => {
    const isUnseen = document.visibilityState === 'hidden'
    const mayReload = isUnseen && !isBusy() && !isSomethingEntered() && !isSomethingUnderWay()
    if (mayReload && noteOnce(UNSEEN_KEY, served)) location.reload()
    else wait()
  }
  const wait = (): void => {
    timer = setTimeout(attempt, FIRST_MS + Math.random() * SPREAD_MS)
  }
  wait()
  return () => clearTimeout(timer)
}

/** Reloads where the code of a page is missing and the service answers. False when that was tried already or would lose something. */
export async function reloadForCode(isBusy: boolean): Promise<boolean> {
  if (isBusy || isSomethingUnderWay()) return false
  const answers = await fetch('/health/live', { cache: 'no-store' }).then(
    ({ ok }) => ok,
    () => false,
  )
  if (!answers || !noteOnce(CODE_KEY, `${ownBuild()} ${location.pathname}`)) return false
  location.reload()
  return true
}
