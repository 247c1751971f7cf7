import { createServer } from 'node:net'

const noSuchHost = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EADDRNOTAVAIL', 'EINVAL'])

/** Throws when `port` of `host` cannot be taken, with the setting that mends it. */
export function refuseTakenPort(port: number, host: string, portSetting: string, hostSetting: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => {
      const where = noSuchHost.has(error.code ?? '')
        ? `${host} is no address of this machine: ${error.message}\n    HINT: set ${hostSetting} to one that is, or leave it out.`
        : error.code === 'EADDRINUSE'
          ? `Port ${port} is taken by another program.\n    HINT: ${portSetting}=${port + 100} npm start`
          : `Port ${port} cannot be used: ${error.message}\n    HINT: set ${portSetting} to another one.`
      reject(new Error(where))
    })
    probe.listen(port, host, () => probe.close(() => resolve()))
  })
}
