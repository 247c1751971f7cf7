import { connect } from 'node:tls'
import { DAY, SECOND } from '@seaworthy/core'

/** Whole days until the certificate that is shown there ends. */
export function readCertificateDays(url: string): Promise<number> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    // Whether it is trusted is the business of who connects; here only its last day counts.
    const socket = connect({
      host: hostname,
      port: Number(port || 443),
      servername: hostname,
      rejectUnauthorized: false,
    })
    socket.setTimeout(5 * SECOND, () => socket.destroy(new Error(`${url} shows no certificate`)))
    socket.once('error', reject)
    socket.once('secureConnect', () => {
      const { valid_to } = socket.getPeerCertificate()
      socket.destroy()
      resolve(Math.floor((Date.parse(valid_to) - Date.now()) / DAY))
    })
  })
}
