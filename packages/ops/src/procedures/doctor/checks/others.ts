import { accessSync, constants, existsSync } from 'node:fs'
import { connect as connectPlain, type Socket } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { SECOND } from '@seaworthy/core'
import { bad, good, none, warn } from '../finding.ts'
import { settingsOf } from '../installation.ts'
import type { Check } from './check.ts'
import { onDatabase } from './database.ts'

const ANSWER_MS = 5 * SECOND
const CLAMD_PORT = 3310

export const redis: Check = {
  title: 'Redis',
  look: async (here) => {
    if (!settingsOf(here).redisUrl) return none('none is set: limits are counted in PostgreSQL')
    const problem = await here.pingRedis().then(
      () => undefined,
      (error: Error) => error.message.split('\n')[0] ?? 'no answer',
    )
    return problem === undefined
      ? good('answers')
      : bad(`does not answer (${problem}): each process keeps its share of the limits`, 'seaworthy runbook redis-gone')
  },
}

/** Letters that could not be sent, and whether the server greets. */
export const mail: Check = {
  title: 'mail',
  look: async (here) => {
    const { smtpUrl } = settingsOf(here)
    if (!smtpUrl)
      return onDatabase(here, async () => {
        const { waiting } = await countMail(here.query)
        return good(`no SMTP_URL: ${waiting} letters are kept here, for seaworthy mail list`)
      })
    const problem = await greet(smtpUrl.reveal())
    if (problem) return bad(`the mail server does not greet: ${problem}`, 'seaworthy runbook provider-down')
    return onDatabase(here, async () => {
      const { waiting, failed, minutes } = await countMail(here.query)
      const found = `the server greets, ${waiting} letters wait (the oldest for ${minutes} min), ${failed} failed within a day`
      return failed > 0 || minutes > 10 ? warn(found, 'seaworthy runbook provider-down') : good(found)
    })
  },
}

async function countMail(query: <Row>(statement: string) => Promise<readonly Row[]>) {
  const [row] = await query<{ waiting: number; failed: number; minutes: number }>(
    `select count(*) filter (where state = 'waiting')::int as waiting,
       count(*) filter (where state = 'failed' and ended_at > now() - interval '1 day')::int as failed,
       coalesce(extract(epoch from clock_timestamp() - min(created_at) filter (where state = 'waiting')) / 60, 0)::int as minutes
     from seaworthy.mail`,
  )
  return row ?? { waiting: 0, failed: 0, minutes: 0 }
}

/** Why not; undefined when the first line of the server is a greeting. */
function greet(url: string): Promise<string | undefined> {
  const { protocol, hostname, port } = new URL(url)
  const isTls = protocol === 'smtps:'
  const address = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || (isTls ? 465 : 587)) }
  return talk(isTls ? connectTls({ ...address, servername: address.host }) : connectPlain(address), /^220/)
}

/** The virus scanner, if one is set: without it no upload is taken. */
export const scanner: Check = {
  title: 'virus scanner',
  look: async (here) => {
    const { clamdUrl } = settingsOf(here)
    if (!clamdUrl) return none('none is set')
    const { protocol, hostname, port, pathname } = new URL(clamdUrl)
    const host = hostname.replace(/^\[|\]$/g, '')
    const socket =
      protocol === 'unix:' ? connectPlain({ path: pathname }) : connectPlain({ host, port: Number(port || CLAMD_PORT) })
    const problem = await talk(socket, /^PONG/, 'zPING\0')
    return problem
      ? bad(`does not answer: ${problem}; no upload is taken`, 'seaworthy runbook provider-down')
      : good('answers')
  },
}

/** Waits for one answer of this form. */
const talk = (socket: Socket, expected: RegExp, say?: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    const end = (problem: string | undefined): void => {
      socket.destroy()
      resolve(problem)
    }
    socket.setTimeout(ANSWER_MS, () => end(`nothing within ${ANSWER_MS / SECOND} s`))
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
    socket.once('data', (data) =>
      end(expected.test(data.toString()) ? undefined : `it says ${data.toString().slice(0, 80).trim()}`),
    )
    if (say) socket.write(say)
  })

/** Where files of people are. */
export const storage: Check = {
  title: 'storage of files',
  look: async (here) => {
    const { s3Endpoint, s3Bucket, dataDirectory } = settingsOf(here)
    if (!s3Endpoint)
      return canWrite(dataDirectory)
        ? good(`below ${dataDirectory}`)
        : bad(`${dataDirectory} cannot be written to`, `ls -ld ${dataDirectory}; mount | grep ' ro,'`)
    const answer = await fetch(s3Endpoint, { method: 'HEAD', signal: AbortSignal.timeout(ANSWER_MS) }).catch(
      (error: Error) => error,
    )
    if (answer instanceof Error) return bad(`nothing answers at ${s3Endpoint}`, 'seaworthy runbook provider-down')
    return answer.status >= 500
      ? bad(`${s3Endpoint} answers ${answer.status}`, 'seaworthy runbook provider-down')
      : good(`${s3Bucket} at ${s3Endpoint}, which answers`)
  },
}

function canWrite(path: string): boolean {
  try {
    accessSync(existsSync(path) ? path : join(path, '..'), constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** What could be had back if this disk were lost now. */
export const recovery: Check = {
  title: 'recovery points',
  look: async (here) => {
    const { backupStores, databaseUrl } = settingsOf(here)
    if (databaseUrl) return none('the database is elsewhere: whoever runs it backs it up')
    if (backupStores.length === 0)
      return warn(
        'BACKUP_STORES is not set: what is lost with this disk is lost',
        'set BACKUP_STORES, then seaworthy backup',
      )
    const problem = await here.recoveryProblem()
    return problem
      ? bad(problem, 'seaworthy runbook backups-behind')
      : good(`a verified point of this day, and the archive since, in ${backupStores.length} stores`)
  },
}

const SLOWER_MAX = 2

/** A recovery point counts when it was restored. */
export const drills: Check = {
  title: 'recovery points on trial',
  look: async (here) => {
    const { backupStores, databaseUrl } = settingsOf(here)
    if (databaseUrl || backupStores.length === 0) return none('there are no recovery points of this installation')
    const last = await here.lastDrill()
    if (!last) return warn('no recovery point was ever restored on trial', 'seaworthy drill')
    const { outcome, problem, point, rtoSeconds, rpoSeconds, ratio } = last
    if (outcome === 'failed') return bad(`${point} did not pass: ${problem}`, 'seaworthy runbook backups-behind')
    if (outcome === 'unknown')
      return warn(`${point ?? 'no point'} could not be verified: ${problem}`, 'seaworthy drill')
    const loss = rpoSeconds === undefined ? '' : `, ${rpoSeconds.toFixed(1)} s of writing would be lost with the disk`
    const found = `${point} passed on ${last.at.slice(0, 10)}: back in ${rtoSeconds?.toFixed(1)} s${loss}`
    return (ratio ?? 1) > SLOWER_MAX
      ? warn(`${found}; that is ${ratio?.toFixed(1)} times as long as before`, 'look what grew: seaworthy backups')
      : good(found)
  },
}

/** Who hears of a deploy, and of mail that could not be sent. */
export const notifications: Check = {
  title: 'notifications',
  look: (here) => {
    const { notifyEmail } = settingsOf(here)
    return notifyEmail
      ? good(`deploys are told to ${notifyEmail}`)
      : none('NOTIFY_EMAIL is not set: only --notify URL tells anybody')
  },
}
