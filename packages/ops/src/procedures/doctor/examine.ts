import { SECOND } from '@seaworthy/core'
import { type CheckName, checks } from './checks/index.ts'
import { type Finding, unknown } from './finding.ts'
import { type Installation, NoSettings } from './installation.ts'

export interface Examined extends Finding {
  readonly check: CheckName
  readonly title: string
}

const LOOK_MS = 15 * SECOND

/** Looks at everything, or at these things, one after the other: a sick machine is not pressed. */
export async function examine(
  here: Installation,
  names: readonly CheckName[] = Object.keys(checks) as CheckName[],
): Promise<readonly Examined[]> {
  const all: Examined[] = []
  for (const name of names) all.push(await lookAt(here, name))
  return all
}

/** Never throws: what cannot be looked at says why. */
export async function lookAt(here: Installation, check: CheckName): Promise<Examined> {
  const { title, look } = checks[check]
  const late = new AbortController()
  try {
    const finding = await Promise.race([Promise.resolve(look(here)), tooLate(late.signal)])
    return { check, title, ...finding }
  } catch (error) {
    return { check, title, ...unlooked(error) }
  } finally {
    late.abort()
  }
}

const tooLate = (signal: AbortSignal): Promise<Finding> =>
  new Promise((resolve) => {
    const timer = setTimeout(
      () => resolve(unknown(`no answer within ${LOOK_MS / SECOND} s`, 'look at what hangs, and run this again')),
      LOOK_MS,
    )
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
  })

function unlooked(error: unknown): Finding {
  if (error instanceof NoSettings) return unknown(error.message, 'mend the settings first')
  const { code, message } = error as { code?: string; message?: string }
  return unknown(
    [code, message?.split('\n')[0]].filter(Boolean).join(': '),
    'mend what is bad above, and run this again',
  )
}
