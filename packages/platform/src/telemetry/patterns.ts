import { isId } from '@seaworthy/core'

/** What secrets and personal data look like in free text. Applied in order; each is one pass without backtracking traps. */
const REDACTED = '[REDACTED]'

/**
 * Names that mean personal or secret in any case style: `userEmail`, `user_email` and `USER-EMAIL` are one. The text is
 * a part of a name that only has letters.
 */
const parts = [
  'password|passphrase|passwd|pwd|secret|token|authori[sz]ation|cookie|apikey|accesskey|privatekey|signingkey|credential',
  'signature|mnemonic|seedphrase|recoverycode|backupcode|onetimecode|connectionstring|databaseurl|dsn$|jwt',
  'email|mail$|phone|mobile|address|street|postcode|postalcode|zipcode|firstname|lastname|fullname|givenname|familyname',
  'surname|displayname|username|nickname|birth|passport|ssn$|socialsecurity|taxid|nationalid|iban|bic$|cardnumber|cardno',
  'cvc|cvv|latitude|longitude|location|filename|itemname|^items$|trackingnumber|vendororder|brandpref|useragent',
  '^(otp|totp|pin|mfa|ip|ipaddress|remoteaddr|clientip|lat|lng|lon|dob|body|prompt)$',
]
const names = new RegExp(parts.join('|'))

export const isSensitiveName = (name: string): boolean => names.test(name.toLowerCase().replace(/[^a-z]/g, ''))

/** Loopback and the address of nobody tell nothing of people, and an operator needs them. */
const isNobody = (address: string): boolean => /^(127\.|0\.0\.0\.0)/.test(address)
const maskV4 = (address: string): string => (isNobody(address) ? address : address.replace(/\.\d+\.\d+$/, '.x.x'))

type Replacement = (found: string, ...groups: string[]) => string

/** `name=value` and `"name": "value"`, where the name says that the value is nobody's business. */
const assignment =
  /(["']?)([A-Za-z][\w-]{0,60})\1(\s{0,3}[:=]\s{0,3})("(?:[^"\\]|\\.){0,2000}"|'[^']{0,2000}'|[^\s,;&"'<>{}[\]()]{1,2000})/g
const redactAssignment: Replacement = (found, quote = '', name = '', between = '', value = '') => {
  const begin = `${quote}${name}${quote}${between}`
  // The value may hold another: `url=https://x/?token=y`.
  if (!isSensitiveName(name)) return begin + value.replace(assignment, redactAssignment)
  if (/^["']?(\[REDACTED|["']?$)/.test(value)) return found
  return `${begin}${value.startsWith('"') ? `"${REDACTED}"` : REDACTED}`
}

const patterns: readonly (readonly [RegExp, Replacement | string])[] = [
  [
    /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]{0,8000}?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|$)/g,
    '[REDACTED:key]',
  ],
  [/eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*){0,3}/g, '[REDACTED:token]'],
  [/\b(Bearer|Basic|Digest|Negotiate|ApiKey)\s+(?!\[REDACTED)[\w+/=.~:-]{6,}/gi, '$1 [REDACTED]'],
  [
    /\b(?:(?:sk|pk|rk)_(?:live|test)_\w{8,}|whsec_\w{8,}|sk-[\w-]{16,}|gh[pousr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{12,}|xox[abeoprs]-[\w-]{10,}|(?:AKIA|ASIA)[A-Z0-9]{12,}|AIza[\w-]{20,}|npm_\w{20,}|hf_\w{16,}|sw_\w{16,}|sw\d\.[\w.+/=-]{16,})/g,
    '[REDACTED:key]',
  ],
  [/([a-z][a-z+.-]{1,20}:\/\/[^/\s:@]{0,200}:)(?!\[REDACTED)[^/\s@]{1,200}@/gi, '$1[REDACTED]@'],
  [/[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}/g, '[REDACTED:email]'],
  [assignment, redactAssignment],
  [/([?&](?:code|key|sig|state|k)=)[^&\s"'<>]{1,2000}/gi, '$1[REDACTED]'],
  [/\b(accounts?|users?|person)([ "':=(]{1,3})[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, '$1$2[REDACTED:id]'],
  // The folder of an account's files.
  [/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?=\/(?:[0-9a-f]{2}\/)?[0-9a-f]{64})/gi, '[REDACTED:id]'],
  // Ids may be digits all through; they stay.
  [
    /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b(?:\d[ -]?){12,18}\d\b/gi,
    (found) => (isId(found.toLowerCase()) ? found : '[REDACTED:number]'),
  ],
  [/\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b/g, '[REDACTED:iban]'],
  // Whole: the names of PostgreSQL's segments are longer, and operators need them.
  [/(?<![\w.-])(?:\+|00)\d[\d ().-]{6,18}\d(?!\d)/g, '[REDACTED:phone]'],
  [/(?<![\w.-])\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?![\w-])/g, '[REDACTED:phone]'],
  [/(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])/g, maskV4],
  [/(?<![\w:])(?:[0-9a-f]{1,4}:){3,7}(?::|[0-9a-f]{1,4})(?:[0-9a-f:]{0,30})(?![\w:])/gi, (found) => maskV6(found)],
]

const maskV6 = (address: string): string => `${address.split(':').slice(0, 2).join(':')}::`

const TEXT_MAX = 4_096

/** Patterns of secrets and personal data in free text, replaced. */
export function redactText(text: string): string {
  let out = text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}...` : text
  for (const [pattern, replacement] of patterns) out = out.replace(pattern, replacement as string)
  return out
}

/** The network of an address: the last two octets of IPv4, all but 32 bits of IPv6 are dropped. */
export function maskAddress(address: string): string {
  const v4 = address.replace(/^::ffff:(?=\d)/, '')
  if (v4.includes('.')) return `${v4.split('.').slice(0, 2).join('.')}.x.x`
  return maskV6(v4)
}
