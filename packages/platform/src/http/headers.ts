/** Headers of every answer. They never change while a process runs, so they are prepared once. */
const common: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy':
    'accelerometer=(), camera=(self), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()',
  'x-permitted-cross-domain-policies': 'none',
}

const https: Readonly<Record<string, string>> = {
  'strict-transport-security': 'max-age=63072000; includeSubDomains; preload',
}

/** For answers that are data: nothing in them may be run or framed. */
export const dataPolicy = "default-src 'none'; frame-ancestors 'none'"

export function securityHeaders(isHttps: boolean): Readonly<Record<string, string>> {
  return isHttps ? { ...common, ...https } : common
}

/** Of a built file whose name holds its hash: it never changes, so it is kept for a year. */
export const assetHeaders = (isHttps: boolean): Readonly<Record<string, string>> => ({
  ...securityHeaders(isHttps),
  'cache-control': 'public, max-age=31536000, immutable',
})

/** A block for `writeHead`: name and value in turn. */
export const asBlock = (headers: Readonly<Record<string, string>>): readonly string[] => Object.entries(headers).flat()
