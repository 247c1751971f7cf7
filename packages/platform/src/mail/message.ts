/** What a person is told by mail. Plain words: the HTML part is made of the same ones. */
export interface Mail {
  /** One address. */
  readonly to: string
  readonly subject: string
  readonly paragraphs: readonly string[]
  /** The one thing to do. */
  readonly action?: { readonly label: string; readonly url: string } | undefined
  /** From then on the mail is of no use, and not sent any more. */
  readonly expiresAt?: Date | undefined
}

/** What is kept of it until it is sent. */
export type MailBody = Pick<Mail, 'paragraphs' | 'action'>

/** The two parts of the message: nothing in them is fetched from anywhere, and nothing tells us that it was read. */
export const renderMail = (body: MailBody): { text: string; html: string } => ({
  text: renderText(body),
  html: renderHtml(body),
})

function renderText({ paragraphs, action }: MailBody): string {
  const parts = action ? [...paragraphs, `${action.label}:\n${action.url}`] : paragraphs
  return `${parts.join('\n\n')}\n`
}

const pageStyle = 'margin:0;padding:24px;background:#f6f7f8;color:#1b2733;font:16px/1.5 system-ui,sans-serif'
const cardStyle = 'max-width:560px;margin:0 auto;padding:24px;background:#ffffff;border-radius:8px'
const buttonStyle =
  'display:inline-block;padding:12px 20px;background:#0b4f6c;color:#ffffff;text-decoration:none;border-radius:6px'
const smallStyle = 'font-size:13px;color:#51606e;word-break:break-all'

function renderHtml({ paragraphs, action }: MailBody): string {
  const words = paragraphs.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`)
  const button = action
    ? [
        `<p><a href="${escapeHtml(action.url)}" style="${buttonStyle}">${escapeHtml(action.label)}</a></p>`,
        `<p style="${smallStyle}">${escapeHtml(action.url)}</p>`,
      ]
    : []
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"></head><body style="${pageStyle}"><div style="${cardStyle}">${[...words, ...button].join('')}</div></body></html>\n`
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] ?? '')
