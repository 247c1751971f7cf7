import type { Rig } from './rig.ts'
import { until } from './wait.ts'

/** A setting as `.env.example` describes it to operators. */
export interface DocumentedSetting {
  readonly name: string
  /** `number, 0 to 65535`, `duration, 1s to 10m`, `debug | info | warn | error`, ... */
  readonly type: string
  readonly fallback: string
}

/** Two lines belong to a setting: `#   type`, and below it `#NAME=default`. */
export function readSettings(example: string): DocumentedSetting[] {
  const form = /^# {3}(.+?)(?: \(also read as [^)]*\))?\n#([A-Z][A-Z0-9_]*)=(.*)$/gm
  return [...example.matchAll(form)].map(([, type = '', name = '', fallback = '']) => ({ name, type, fallback }))
}

export interface StartOutcome {
  readonly refused: boolean
  readonly output: string
}

/** Starts the product with these settings and tells whether it refused. One that starts is stopped at once. */
export async function tryStart(rig: Rig, environment: Readonly<Record<string, string>>): Promise<StartOutcome> {
  const stack = await rig.launch({ environment })
  const outcome = await until(
    'the product starts or ends',
    () => {
      const output = stack.output()
      if (stack.exit()) return { refused: stack.exit()?.code !== 0, output }
      return output.includes('Seaworthy is up') && { refused: false, output }
    },
    START_MS,
  )
  await stack.stop()
  return outcome
}

const START_MS = 60_000

/** Does the work for every item, a few at a time. */
export async function forEachOf<T, R>(
  items: readonly T[],
  atATime: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  for (let at = 0; at < items.length; at += atATime)
    results.push(...(await Promise.all(items.slice(at, at + atATime).map(work))))
  return results
}
