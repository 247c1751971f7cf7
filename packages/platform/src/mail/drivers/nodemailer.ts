import { SECOND } from '@seaworthy/core'
import type { Transporter } from 'nodemailer'
import { renderMail } from '../message.ts'
import { type MailTransport, parseSmtpUrl, type SmtpSettings, Undeliverable } from '../transport.ts'

/** The one file that knows nodemailer; the library is loaded with the first mail. */
const CONNECTIONS_MAX = 2
const CONNECT_MS = 15 * SECOND
const SILENCE_MS = 30 * SECOND

export function openSmtp({ url, from }: SmtpSettings): MailTransport {
  let opened: Promise<Transporter> | undefined
  const open = async (): Promise<Transporter> => {
    const { createTransport } = await import('nodemailer')
    return createTransport({
      ...parseSmtpUrl(url.reveal()),
      pool: true,
      maxConnections: CONNECTIONS_MAX,
      connectionTimeout: CONNECT_MS,
      greetingTimeout: CONNECT_MS,
      socketTimeout: SILENCE_MS,
      // Nothing is attached, and nothing in a mail may be read from a file or fetched from somewhere.
      disableFileAccess: true,
      disableUrlAccess: true,
      // One mail, one address: the name that the server is greeted with says nothing about this machine.
      name: domainOf(from),
    })
  }
  return {
    deliver: async ({ id, to, subject, body }) => {
      opened ??= open()
      const transporter = await opened
      try {
        await transporter.sendMail({
          from,
          to: { name: '', address: to },
          subject,
          ...renderMail(body),
          // The same at every try, so that a mail that was handed over twice can be told to be one.
          messageId: `<${id}@${domainOf(from)}>`,
          headers: { 'Auto-Submitted': 'auto-generated' },
        })
      } catch (error) {
        throw asProblem(error)
      }
    },
    close: () => void opened?.then((transporter) => transporter.close()).catch(() => undefined),
  }
}

const domainOf = (from: string): string => /@([^\s<>]+?)>?$/.exec(from)?.[1] ?? 'localhost'

/** Answers of 500 and more about the address or the message are final; about signing in they can be mended. */
function asProblem(error: unknown): Error {
  const {
    code,
    responseCode = 0,
    message = String(error),
  } = error as Partial<Error> & {
    code?: string
    responseCode?: number
  }
  const isFinal = responseCode >= 500 && (code === 'EENVELOPE' || code === 'EMESSAGE')
  return isFinal ? new Undeliverable(message, { cause: error }) : new Error(message, { cause: error })
}
