/** Mail to people: written in the caller's transaction, delivered afterwards by SMTP, or kept where an operator reads it. */
export { checkMail } from './condition.ts'
export type { Mail } from './message.ts'
export { eraseOldMail, type ListedMail, listMail, type ReadMail, readMail } from './outbox.ts'
export { sendMail } from './send.ts'
export { type MailSender, type MailSenderSettings, startMailSender } from './sender.ts'
