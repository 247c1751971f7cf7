import { newId } from '@seaworthy/core'
import { type Deliver, environmentOf, type Layout } from '@seaworthy/ops'
import { lookAtConfig } from '@seaworthy/platform/config'
import { openSmtp } from '@seaworthy/platform/mail'
import { findPlace } from './place.ts'

/**
 * Letters to NOTIFY_EMAIL by the mail server of this host, from this process: whoever deploys a release that cannot
 * send mail is told, too. Undefined when nobody is to be told; says so when the settings cannot be read.
 */
export function letterBox(layout: Layout, tell: (text: string) => void): Deliver | undefined {
  const { config, faults } = lookAtConfig(findPlace().directory, environmentOf(layout))
  if (!config) {
    const mail = faults.find(({ setting }) => /^(SMTP_URL|MAIL_FROM|NOTIFY_EMAIL)/.test(setting))
    if (mail) tell(`nobody will be told by mail: ${mail.setting} ${mail.problem}`)
    return undefined
  }
  const { smtpUrl: url, mailFrom: from, notifyEmail: to } = config
  if (!url || !from || !to) return undefined
  return async ({ subject, paragraphs }) => {
    const smtp = openSmtp({ url, from })
    try {
      await smtp.deliver({
        id: newId(),
        to: addressIn(to),
        subject,
        body: { paragraphs },
        tries: 1,
        createdAt: new Date(),
      })
    } finally {
      smtp.close()
    }
  }
}

/** `Operators <operators@example.com>` has one. */
const addressIn = (to: string): string => /<([^>]+)>$/.exec(to)?.[1] ?? to
