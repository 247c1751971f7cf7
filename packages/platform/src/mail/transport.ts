import { isLoopback, type Secret } from '@seaworthy/core'
import type { TakenMail } from './queue.ts'

/** Hands one mail to whoever delivers it. Throws `Undeliverable` when no other try can help. */
export interface MailTransport {
  deliver(mail: TakenMail): Promise<void>
  close(): void
}

/** The mail server refused this mail for good: the address does not exist, or it takes no mail from us. */
export class Undeliverable extends Error {
  override readonly name = 'Undeliverable'
}

export interface SmtpSettings {
  /** `smtps://user:password@host:465`, or `smtp://` for a server that is asked to encrypt after the greeting. */
  readonly url: Secret
  /** `Seaworthy <mail@example.com>` */
  readonly from: string
}

export interface SmtpAddress {
  readonly host: string
  readonly port: number
  /** Encrypted from the first byte. */
  readonly secure: boolean
  /** A server on another machine must encrypt, or it gets neither the password nor the mail. */
  readonly requireTLS: boolean
  readonly auth?: { readonly user: string; readonly pass: string }
}

/** What the address says, and nothing else: options behind a `?` could turn off the check of the certificate. */
export function parseSmtpUrl(url: string): SmtpAddress {
  const { protocol, hostname, port, username, password } = new URL(url)
  const secure = protocol === 'smtps:'
  const host = hostname.replace(/^\[|\]$/g, '')
  return {
    host,
    port: port ? Number(port) : secure ? 465 : 587,
    secure,
    requireTLS: !secure && !isLoopback(host),
    ...(username ? { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } } : {}),
  }
}
