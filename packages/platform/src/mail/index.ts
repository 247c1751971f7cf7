/** Mail to people: written in the caller's transaction, delivered afterwards by SMTP, or kept where an operator reads it. */
export { checkMail } from './condition.ts'
export { openSmtp } from './drivers/nodemailer.ts'
export type { Mail, MailBody } from './message.ts'
export { eraseOldMail, type ListedMail, listMail, type ReadMail, readMail } from './outbox.ts'
export { sendMail } from './send.ts'
export { type MailSender, startMailSender } from './sender.ts'
