import { watch } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { readConfig } from '@seaworthy/platform/config'
import { createServer as createVite } from 'vite'
import { findPlace } from './place.ts'
import { start } from './start.ts'

const SETTLE_MS = 80
const watched = ['packages/core/src', 'packages/platform/src', 'apps']

/** The same stack from its sources: pages are replaced as they are saved, processes start again when theirs change. */
export async function dev(): Promise<void> {
  const place = findPlace()
  const { port, host } = readConfig(place.directory)
  const innerPort = await freePort()
  const target = `http://127.0.0.1:${innerPort}`
  const proxied = ['/api', '/media', '/health', '/docs', '/openapi.json']
  const vite = await createVite({
    root: join(place.directory, 'web'),
    logLevel: 'warn',
    server: {
      port,
      host,
      strictPort: true,
      proxy: { ...Object.fromEntries(proxied.map((path) => [path, { target }])), '/socket': { target, ws: true } },
    },
  })
  await vite.listen()
  await start({
    innerPort,
    onRunning: (supervisor) => {
      let settling: NodeJS.Timeout | undefined
      for (const folder of watched) {
        watch(join(place.directory, folder), { recursive: true }, (_, file) => {
          if (
            !file?.endsWith('.ts') ||
            file.endsWith('.test.ts') ||
            file.includes('node_modules') ||
            file.includes('dist')
          )
            return
          clearTimeout(settling)
          settling = setTimeout(supervisor.reload, SETTLE_MS)
        })
      }
    },
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => (typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port'))))
    })
  })
}
