import { existsSync, realpathSync, writeFileSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { createInterface } from 'node:readline/promises'
import { parseBytes, parseDuration } from '@seaworthy/core'
import {
  type Containers,
  checkoutSource,
  commandInContainer,
  commandOfBoth,
  commandOn,
  type DeploySettings,
  deploy,
  describe,
  type Finished,
  type Host,
  type HostStatus,
  imageSource,
  type Layout,
  layoutOf,
  type Notify,
  notifyAll,
  notifyByMail,
  notifyByWebhook,
  openContainerRunner,
  openContainers,
  openDetachedRunner,
  openSystemdRunner,
  planOf,
  publicUrlOf,
  readStatus,
  rollback,
  runnerOfBoth,
  servedBy,
} from '@seaworthy/ops'
import { letterBox } from './letter-box.ts'
import { findPlace, loadSystem } from './place.ts'

export interface HostFlags {
  readonly root?: string
  readonly runner: string
  readonly notify?: string
  readonly json?: true
}

export interface DeployFlags extends HostFlags {
  readonly bake: string
  readonly canary?: string
  readonly canaryFor: string
  readonly ready: string
  readonly keep: string
  readonly keepWarm?: true
  readonly memory: string
  readonly smoke: boolean
  readonly proxy?: string
  readonly dryRun?: true
  readonly yes?: true
}

export interface RollbackFlags extends HostFlags {
  readonly ready: string
  readonly keepWarm?: true
  readonly yes?: true
}

/** Exit code 1 when the release does not serve in the end. */
export async function runDeploy(image: string | undefined, flags: DeployFlags): Promise<void> {
  const host = await openHost(flags)
  const { layout, tell, containers } = host
  const source = image
    ? await imageSource(containers, image, (text) => tell('note', text))
    : checkoutSource(layout, findPlace().directory)
  const settings: DeploySettings = {
    source,
    readyMs: time('--ready', flags.ready),
    bakeMs: time('--bake', flags.bake),
    ...(flags.canary ? { canary: { share: share(flags.canary), forMs: time('--canary-for', flags.canaryFor) } } : {}),
    memoryBytesMax: bytes('--memory', flags.memory),
    keep: count('--keep', flags.keep),
    keepWarm: flags.keepWarm === true,
    smoke: flags.smoke,
    proxyUrl: flags.proxy ?? publicUrlOf(layout),
    notify: notifyOf(flags, host),
    signal: abortOnSignals(),
  }
  if (flags.dryRun) return printPlan(flags, planOf(host, settings))
  await confirm(flags, `Deploy ${source.release.id} to ${layout.root}?`)
  report(flags, await deploy(host, settings))
}

function printPlan({ json }: HostFlags, lines: readonly string[]): void {
  print(
    json
      ? [
          JSON.stringify(
            lines.map((line) => [line.slice(0, 9).trim(), line.slice(9)]),
            null,
            2,
          ),
        ]
      : lines,
  )
}

export async function runRollback(release: string | undefined, flags: RollbackFlags): Promise<void> {
  const host = await openHost(flags)
  await confirm(flags, `Give the traffic of ${host.layout.root} to ${release ?? 'the release before'}?`)
  const settings = {
    release,
    readyMs: time('--ready', flags.ready),
    keepWarm: flags.keepWarm === true,
    notify: notifyOf(flags, host),
    signal: abortOnSignals(),
  }
  report(flags, await rollback(host, settings))
}

export async function printReleases(flags: HostFlags): Promise<void> {
  const status = await readStatus(await openHost(flags))
  const { releases } = status.state
  if (flags.json) return print([JSON.stringify(releases, null, 2)])
  const rows = [...releases].sort((a, b) => (a.copiedAt < b.copiedAt ? 1 : -1))
  print(
    rows.length
      ? rows.map(({ id, version, copiedAt, bad }) =>
          [id.padEnd(24), version.padEnd(10), copiedAt, roleOf(status, id), bad ?? ''].join('  ').trimEnd(),
        )
      : ['There are no releases here yet.'],
  )
}

const roleOf = ({ state, running }: HostStatus, id: string): string =>
  id === state.serving
    ? 'serves'
    : id === state.warm
      ? 'warm'
      : running.some((release) => release.id === id)
        ? 'runs'
        : id === state.previous
          ? 'served before'
          : ''

export async function printStatus(flags: HostFlags): Promise<void> {
  const status = await readStatus(await openHost(flags))
  if (flags.json) return print([JSON.stringify(status, null, 2)])
  const { state, slots, running, holder } = status
  const serving = servedBy(slots)
  const since = state.releases.find(({ id }) => id === serving)?.servedAt
  print([
    serving
      ? `${serving} serves${since ? ` since ${since}` : ''}.`
      : slots.some(Boolean)
        ? `Traffic is divided: ${slots.join(', ')}.`
        : 'Nothing serves here.',
    ...running.flatMap(({ id, parts }) =>
      parts.map(
        ({ name, state: is, pid, restarts, memoryBytes }) =>
          `  ${id}  ${name}: ${is}, process ${pid}, ${Math.round(memoryBytes / 1_048_576)} MiB, started again ${restarts} times`,
      ),
    ),
    ...(holder ? [`Under way: ${holder.what} by ${holder.by} since ${holder.since}, process ${holder.pid}.`] : []),
    ...(state.last ? describeLast(state.last) : []),
  ])
}

const describeLast = ({ kind, target, outcome, by, endedAt, why, steps }: Finished): string[] => [
  `Last: ${kind} of ${target} ${outcome}, ${endedAt}, by ${by}${why ? `: ${why}` : ''}`,
  ...steps.map(({ name, ms }) => `  ${name.padEnd(10)} ${((ms ?? 0) / 1_000).toFixed(1)} s`),
]

function report(flags: HostFlags, finished: Finished): void {
  if (finished.outcome === 'failed') process.exitCode = 1
  print(flags.json ? [JSON.stringify(finished, null, 2)] : describeLast(finished))
}

export async function openHost({ root, runner }: HostFlags): Promise<Host & { readonly containers: Containers }> {
  const place = findPlace()
  const about = describe(await loadSystem(place), place.build.version)
  const layout = layoutOf(rootOf(root ?? `/srv/${about.name}`))
  const containers = openContainers({ layout, about })
  return {
    layout,
    containers,
    runner: runnerOfBoth(runnerOf(runner, about.name, layout), openContainerRunner(containers)),
    by: `${userInfo().username}@${hostname()}`,
    tell: (step, text) => void process.stderr.write(`${step === 'note' ? '         ' : step.padEnd(9)} ${text}\n`),
    command: commandOfBoth(commandOn(layout), commandInContainer(containers)),
  }
}

function rootOf(root: string): string {
  if (!existsSync(root)) throw new Error(`There is no directory ${root}.\n    HINT: sudo install -d -o "$USER" ${root}`)
  return realpathSync(root)
}

function runnerOf(runner: string, name: string, layout: Layout): Host['runner'] {
  if (runner === 'detached') return openDetachedRunner(layout)
  if (runner === 'systemd') return openSystemdRunner(name, layout)
  throw new Error(`There is no runner ${runner}.\n    HINT: detached or systemd`)
}

function notifyOf({ notify }: HostFlags, { tell, layout }: Host): Notify {
  const say = (text: string): void => tell('note', text)
  const deliver = letterBox(layout, say)
  return notifyAll([
    ...(notify ? [notifyByWebhook(notify, say)] : []),
    ...(deliver ? [notifyByMail(deliver, say)] : []),
  ])
}

/** Once: go back. */
function abortOnSignals(): AbortSignal {
  const abort = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => abort.abort())
  return abort.signal
}

/** On a terminal, where there is no `--yes`. */
async function confirm({ yes, json }: { readonly yes?: true; readonly json?: true }, question: string): Promise<void> {
  if (yes || json || !process.stdin.isTTY) return
  const asked = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await asked.question(`${question} [y/N] `)
  asked.close()
  if (!/^y(es)?$/i.test(answer.trim())) throw new Error('Nothing was done.')
}

function time(name: string, text: string): number {
  const ms = text === '0' ? 0 : parseDuration(text)
  if (ms === undefined) throw new Error(`${name} ${text} is no time.\n    HINT: ${name} 60s`)
  return ms
}

function bytes(name: string, text: string): number {
  const size = parseBytes(text)
  if (size === undefined) throw new Error(`${name} ${text} is no size.\n    HINT: ${name} 512mb`)
  return size
}

function count(name: string, text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new Error(`${name} ${text} is no number of releases.\n    HINT: ${name} 5`)
  return Number(text)
}

function share(text: string): number {
  const percent = Number(/^(\d{1,2})%$/.exec(text)?.[1])
  if (!(percent >= 1)) throw new Error(`--canary ${text} is no share of the traffic.\n    HINT: --canary 10%`)
  return percent / 100
}

const print = (lines: readonly string[]): void => writeFileSync(1, `${lines.join('\n')}\n`)
