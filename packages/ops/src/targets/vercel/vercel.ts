import { assetHeaders } from '@seaworthy/platform/http'
import type { Description } from '../../description/index.ts'
import type { Target } from '../target.ts'

/** Where the service answers when a network of others stands at the name that people type. */
const serviceHostOf = (host: string): string => `service.${host}`

/**
 * Vercel keeps what never changes under its name; everything else goes to the service. Pages too: their policy holds
 * the hashes of what the build put into them, and the service is what knows these.
 */
export const vercel: Target = {
  name: 'vercel',
  about: 'vercel.json: assets at the edge, everything else led to the service',
  notRunHere: 'needs an account at Vercel',
  render: (description) => [
    { path: 'vercel.json', text: `${JSON.stringify(configurationOf(description), null, 2)}\n` },
  ],
}

const configurationOf = ({ host, http }: Description): object => ({
  $schema: 'https://openapi.vercel.sh/vercel.json',
  framework: null,
  installCommand: 'npm ci',
  buildCommand: 'npm run build && mkdir -p web/static && cp -R web/dist/assets web/static/',
  outputDirectory: 'web/static',
  headers: [
    {
      source: `${http.assets}(.*)`,
      headers: Object.entries(assetHeaders(true)).map(([key, value]) => ({ key, value })),
    },
  ],
  // After the files: an asset of an older release is not among them, and the service still has it.
  // Not `/:path*`: that matches neither `/` nor an address that ends with a slash.
  rewrites: [{ source: '/(.*)', destination: `https://${serviceHostOf(host)}/$1` }],
})
