import type { Mail } from '../mail/index.ts'

interface Recipient {
  readonly to: string
  /** Where people find this installation. */
  readonly publicUrl: string
}

interface WithLink extends Recipient {
  readonly token: string
  readonly expiresAt: Date
}

const siteOf = ({ publicUrl }: Recipient): string => new URL(publicUrl).host

/** Behind the `#`: browsers do not send that part, so the token is in no log of a server or a proxy. */
const linkTo = (path: string, { publicUrl, token }: WithLink): string =>
  `${publicUrl.replace(/\/$/, '')}${path}#token=${token}`

const ifNotYou = 'If this was not you, choose a new password at once: that ends every sign-in to your account.'

export const verifyLetter = (of: WithLink): Mail => ({
  to: of.to,
  subject: `Confirm your address for ${siteOf(of)}`,
  paragraphs: [
    `Somebody made an account at ${siteOf(of)} with this address. If it was you, please confirm the address.`,
    'The link works once, within a day. If it was not you, there is nothing to do.',
  ],
  action: { label: 'Confirm my address', url: linkTo('/verify', of) },
  expiresAt: of.expiresAt,
})

export const resetLetter = (of: WithLink): Mail => ({
  to: of.to,
  subject: `A new password for ${siteOf(of)}`,
  paragraphs: [
    `Somebody asked for a new password for your account at ${siteOf(of)}.`,
    'The link works once, within half an hour. If it was not you, there is nothing to do: your password stays as it is.',
  ],
  action: { label: 'Choose a new password', url: linkTo('/reset', of) },
  expiresAt: of.expiresAt,
})

export const passwordChangedLetter = (of: Recipient): Mail => ({
  to: of.to,
  subject: `Your password for ${siteOf(of)} was changed`,
  paragraphs: [
    `The password of your account at ${siteOf(of)} was changed, and other sign-ins were ended.`,
    'If this was not you, ask for a new password at once: only you can read the mail that it takes.',
  ],
  action: { label: 'Ask for a new password', url: `${of.publicUrl.replace(/\/$/, '')}/forgot` },
})

export const confirmChangeLetter = (of: WithLink): Mail => ({
  to: of.to,
  subject: `Confirm your new address for ${siteOf(of)}`,
  paragraphs: [
    `Somebody wants to use this address for an account at ${siteOf(of)}. If it was you, please confirm it: from then on you sign in with it.`,
    'The link works once, within an hour. If it was not you, there is nothing to do.',
  ],
  action: { label: 'Use this address', url: linkTo('/verify', of) },
  expiresAt: of.expiresAt,
})

export const addressInUseLetter = (of: Recipient): Mail => ({
  to: of.to,
  subject: `Your address at ${siteOf(of)}`,
  paragraphs: [
    `Somebody wanted to use this address for another account at ${siteOf(of)}. You have an account with it already, so nothing was changed.`,
    'If it was you: sign in with this address, or use another one for the other account.',
  ],
})

export const changeAskedLetter = (of: Recipient): Mail => ({
  to: of.to,
  subject: `A new address for your account at ${siteOf(of)}`,
  paragraphs: [
    `Somebody who is signed in to your account at ${siteOf(of)} wants to use another address for it. That happens when the new address is confirmed.`,
    `${ifNotYou} The new address then cannot be confirmed any more.`,
  ],
  action: { label: 'Choose a new password', url: `${of.publicUrl.replace(/\/$/, '')}/forgot` },
})

export const addressChangedLetter = (of: Recipient): Mail => ({
  to: of.to,
  subject: `The address of your account at ${siteOf(of)} was changed`,
  paragraphs: [
    `Your account at ${siteOf(of)} has another address now. Mail about it goes there, and this address does not sign in any more.`,
    'If this was not you, write to whoever runs this service.',
  ],
})

/** The name of the account is what somebody typed: it stands in a sentence, and in no subject. */
export const invitationLetter = (of: WithLink & { readonly account: string; readonly invitedBy: string }): Mail => ({
  to: of.to,
  subject: `You are invited at ${siteOf(of)}`,
  paragraphs: [
    `${of.invitedBy} invites you to work in the account "${of.account.replace(/\s+/g, ' ')}" at ${siteOf(of)}.`,
    'The link works once, within seven days, and for this address only. If you do not know why, there is nothing to do.',
  ],
  action: { label: 'Look at the invitation', url: linkTo('/join', of) },
  expiresAt: of.expiresAt,
})
