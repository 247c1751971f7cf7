import { backoffMs, type Clock, DAY, HOUR, MINUTE, pause, SECOND } from '@seaworthy/core'
import type { Database } from '../data/index.ts'
import type { Logger, Metrics } from '../telemetry/index.ts'
import { markFailed, markSent, postpone, type TakenMail, takeDue } from './queue.ts'
import { type MailTransport, Undeliverable } from './transport.ts'

export interface MailSenderSettings {
  readonly database: Database
  readonly transport: MailTransport
  readonly log: Logger
  readonly metrics: Metrics
  readonly clock: Clock
}

export interface MailSender {
  /** Waits for what is being handed over. */
  stop(): Promise<void>
}

const AT_ONCE = 5
const ASK_MS = SECOND
const RETRY_BASE_MS = 10 * SECOND
const RETRY_MAX_MS = HOUR
const GIVE_UP_MS = DAY
/** One try, whatever the mail server does. Shorter than the lease. */
const TRY_MS = 2 * MINUTE
const PROBLEM_LENGTH_MAX = 500

/** Asks for mail that is due until it is stopped. Several processes may do this at once. */
export function startMailSender(settings: MailSenderSettings): MailSender {
  const stopping = new AbortController()
  const count = settings.metrics.counter('mail_total', 'Mail by how the try to send it ended.', ['outcome'])
  const work = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const taken = await takeDue(settings.database, AT_ONCE).catch((error: unknown) => {
        settings.log.debug('mail that is due could not be read; asking again soon', { error })
        return []
      })
      await Promise.all(taken.map(async (mail) => count({ outcome: await deliver(settings, mail) })))
      if (taken.length < AT_ONCE) await pause(ASK_MS, stopping.signal)
    }
  }
  const done = work()
  return {
    stop: async () => {
      stopping.abort()
      await done
      settings.transport.close()
    },
  }
}

type Outcome = 'sent' | 'postponed' | 'failed' | 'unknown'

/** Never throws: what could not be noted is tried again when the lease ends. */
async function deliver(settings: MailSenderSettings, mail: TakenMail): Promise<Outcome> {
  const { database, log, clock } = settings
  const about = { mail: mail.id, tries: mail.tries }
  try {
    const error = await attempt(settings.transport, mail)
    if (!error) {
      await markSent(mail, database)
      log.info('mail sent', about)
      return 'sent'
    }
    const problem = error.message.slice(0, PROBLEM_LENGTH_MAX)
    if (error instanceof Undeliverable || clock.now() - mail.createdAt.getTime() >= GIVE_UP_MS) {
      await markFailed(mail, problem, database)
      log.error('a mail could not be sent and is given up', { runbook: 'provider-down', ...about, error })
      return 'failed'
    }
    const waitMs = backoffMs(mail.tries, RETRY_BASE_MS, RETRY_MAX_MS)
    await postpone(mail, problem, waitMs, database)
    log.warn('a mail could not be sent and will be tried again', { runbook: 'provider-down', ...about, waitMs, error })
    return 'postponed'
  } catch (error) {
    log.warn('what became of a mail could not be noted; it is tried again', { ...about, error })
    return 'unknown'
  }
}

async function attempt(transport: MailTransport, mail: TakenMail): Promise<Error | undefined> {
  const late = new AbortController()
  try {
    await Promise.race([
      transport.deliver(mail),
      pause(TRY_MS, late.signal).then(() => {
        throw new Error('the mail server took too long')
      }),
    ])
    return undefined
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  } finally {
    late.abort()
  }
}
