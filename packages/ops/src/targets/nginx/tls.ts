import type { CertificateFiles } from './variants.ts'

/** What every browser of the last eight years has in common: forward secrecy and authenticated encryption, nothing else. */
const suites = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
]

/**
 * For all servers at once: who has not said yet whom he wants is answered by the default one. HSTS is not here: the
 * service sends it with each answer.
 */
export const tls: readonly string[] = [
  'ssl_protocols TLSv1.2 TLSv1.3',
  `ssl_ciphers ${suites.join(':')}`,
  '# All of them are good: a phone may choose what is fastest for it.',
  'ssl_prefer_server_ciphers off',
  'ssl_ecdh_curve X25519:prime256v1:secp384r1',
  'ssl_session_cache shared:tls:10m',
  'ssl_session_timeout 1d',
  '# One key would seal all tickets of 1.2 until nginx starts again.',
  'ssl_session_tickets off',
]

export const certificateLines = ({ certificate, key }: CertificateFiles): readonly string[] => [
  `ssl_certificate ${certificate}`,
  `ssl_certificate_key ${key}`,
]
