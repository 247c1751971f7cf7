import { type AiStatus, readAiStatus, type TaskStatus } from '@seaworthy/platform/ai'
import { readConfig } from '@seaworthy/platform/config'
import { findPlace } from './place.ts'
import { withOwner } from './with-owner.ts'

const DAYS = 7
const MICRO = 1_000_000

/** `seaworthy ai status`: which engines are set up, what tasks were asked, what it cost, and what kept answers saved. */
export async function printAiStatus({ json }: { readonly json?: true }): Promise<void> {
  const config = readConfig(findPlace().directory)
  const status = await withOwner((tx) => readAiStatus(tx, config, DAYS))
  process.stdout.write(json ? `${JSON.stringify(status, null, 2)}\n` : `${textOf(status)}\n`)
}

function textOf({ engines, tasks, kept, apps, days }: AiStatus): string {
  const set = engines.map(({ name, isSetUp, model, regions, setting }) =>
    isSetUp ? `  ${name.padEnd(8)} ${model} at ${regions.join(', ')}` : `  ${name.padEnd(8)} not set up: ${setting}`,
  )
  const spent = apps.map(
    ({ app, spent: all, held }) => `  ${app.padEnd(16)} ${dollars(all)} spent, ${dollars(held)} under way`,
  )
  return [
    'Engines',
    ...set,
    '',
    `Tasks, last ${days} days`,
    ...(tasks.length ? tasks.map(lineOf) : ['  none was asked']),
    '',
    'Kept answers',
    `  ${kept.answers}, given ${kept.hits} times`,
    '',
    'Today',
    ...(spent.length ? spent : ['  nothing was spent']),
  ].join('\n')
}

function lineOf({ task, engine, model, calls, failures, hits, tokens, money, moneySaved, msEach }: TaskStatus): string {
  const by = model ? `${engine} ${model}` : engine
  const kept = hits ? `, ${hits} from kept answers (${share(hits, calls + hits)}, ${dollars(moneySaved)} saved)` : ''
  const failed = failures ? `, ${failures} failed` : ''
  return `  ${task}  ${by}: ${calls} calls${failed}, ${msEach} ms each, ${tokens} tokens, ${dollars(money)}${kept}`
}

const dollars = (micros: number): string => `$${(micros / MICRO).toFixed(4)}`
const share = (part: number, whole: number): string => `${Math.round((100 * part) / Math.max(1, whole))} %`
