import { readFileSync } from 'node:fs'
import { text as readAll } from 'node:stream/consumers'
import { MINUTE, parseDuration, SECOND, Secret } from '@seaworthy/core'
import { abandonGraduation, type Graduation, openGraduation, reopenOld, type Target } from '@seaworthy/platform/boot'
import { type Config, readConfig } from '@seaworthy/platform/config'
import type { Check } from '@seaworthy/platform/graduation'
import { createLogger } from '@seaworthy/platform/telemetry'
import { findPlace, loadSystem } from './place.ts'

export interface GraduateFlags {
  readonly to?: string
  readonly back?: boolean
  readonly dryRun?: boolean
  readonly pauseMax: string
  readonly abandon?: boolean
  readonly reopen?: boolean
  readonly json?: boolean
}

const say = (text: string): void => void process.stderr.write(`${text}\n`)
const print = (text: string): void => void process.stdout.write(`${text}\n`)

/** `seaworthy graduate`. Throws before anything is changed, or with words about what goes on. */
export async function runGraduate(flags: GraduateFlags): Promise<void> {
  const place = findPlace()
  const config = readConfig(place.directory)
  if (flags.abandon) return abandon(config)
  if (flags.reopen) return reopen(config)
  const pauseMaxMs = pauseOf(flags.pauseMax)
  const target = await targetOf(flags, config)
  const log = createLogger({ level: 'warn', process: 'graduate', write: say })
  const graduation = await openGraduation({ config, system: await loadSystem(place), log, target })
  if (!graduation) return print('That database counts already: there is nothing to move.')
  try {
    await refuseProblems(graduation, flags)
    if (flags.dryRun) return
    const { compared, pauseMs, sequences, putAside } = await graduation.run(pauseMaxMs, showProgress())
    const outcome = {
      from: graduation.from,
      to: graduation.to,
      ...compared,
      sequences,
      pauseMs: Math.round(pauseMs),
      putAside,
    }
    if (flags.json) print(JSON.stringify({ ...outcome, next: nextSteps(config, target) }, undefined, 2))
    else
      print(
        [
          `Moved from ${outcome.from} to ${outcome.to}: ${outcome.rows} rows of ${outcome.tables} tables are the same on both sides.`,
          `Nobody could write for ${(pauseMs / SECOND).toFixed(2)} s. ${outcome.from} stays as it was at that moment, and a start refuses it.`,
          ...(putAside ? [`What was there from before is kept as ${putAside}: drop it when you need it no more.`] : []),
          ...nextSteps(config, target),
        ].join('\n'),
      )
  } catch (error) {
    throw new Error(
      `${(error as Error).message}\n    ${graduation.from} goes on. The same command again goes on or begins anew; seaworthy graduate --abandon gives it up.`,
      { cause: error },
    )
  } finally {
    await graduation.close()
  }
}

async function refuseProblems(graduation: Graduation, { json, dryRun }: GraduateFlags): Promise<void> {
  const checks = await graduation.check()
  if (json && dryRun) print(JSON.stringify(checks, undefined, 2))
  else say(checks.map(describeCheck).join('\n'))
  const bad = checks.filter(({ hint }) => hint)
  if (bad.length)
    throw new Error(
      `${bad.length === 1 ? 'One thing is' : `${bad.length} things are`} in the way. Nothing was changed.`,
    )
}

const describeCheck = ({ what, says, hint }: Check): string =>
  `  ${hint ? 'BAD' : 'ok '} ${what.padEnd(18)} ${says}${hint ? `\n      HINT: ${hint}` : ''}`

/** What is left for people to do, in the order in which they do it. */
function nextSteps(config: Config, target: Target): readonly string[] {
  if (config.isDatabaseKept)
    return [
      target.kind === 'url'
        ? 'What runs here has moved with it, and each start uses it: its address is kept in DATA_DIR/secrets/DATABASE_URL. DATABASE_URL need not be set.'
        : 'What runs here has moved with it, and each start uses the embedded server again.',
      ...(target.kind === 'url' && config.backupStores.length
        ? ['BACKUP_STORES keeps the embedded database only: see to backups of the new server now.']
        : []),
    ]
  return target.kind === 'url'
    ? [
        'Now, wherever DATABASE_URL is set (.env, the environment of the service): set it to the address that you gave with --to, and start again. Until then nobody writes.',
      ]
    : [
        'Now, wherever DATABASE_URL is set (.env, the environment of the service): take it out, and start again. Until then nobody writes.',
      ]
}

async function targetOf({ to, back }: GraduateFlags, { databaseCaFile }: Config): Promise<Target> {
  if (Boolean(to) === Boolean(back))
    throw new Error('Where to?\n    HINT: --to postgresql://user:password@host/name, or --back to the embedded server')
  if (!to) return { kind: 'embedded' }
  const url = to === '-' ? (await readAll(process.stdin)).trim() : to
  return { kind: 'url', url: new Secret(url), ca: databaseCaFile ? readFileSync(databaseCaFile, 'utf8') : undefined }
}

function pauseOf(text: string): number {
  const ms = parseDuration(text)
  if (ms === undefined || ms < 2 * SECOND || ms > 10 * MINUTE) throw new Error('--pause-max must be from 2s to 10m')
  return ms
}

function showProgress(): (step: string, part?: number) => void {
  let last = ''
  return (step, part) => {
    const line = part === undefined ? `  ${step}` : `  ${step}  ${Math.floor(part * 100)} %`
    if (line !== last) say(line)
    last = line
  }
}

async function abandon(config: Config): Promise<void> {
  await abandonGraduation(config)
  print(
    'Nothing waits for a graduation any more. A half-filled database stays where it is, and a start refuses it: drop it.',
  )
}

async function reopen(config: Config): Promise<void> {
  const { reopened, left } = await reopenOld(config)
  print(
    `${reopened} counts again.${left ? ` ${left} takes no writes any more, and what was written there since is only there.` : ''}`,
  )
}
