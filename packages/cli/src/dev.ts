import { createServer } from 'node:net'
import { join, sep } from 'node:path'
import { readConfig } from '@seaworthy/platform/config'
import { createServer as createVite } from 'vite'
import { findPlace } from './place.ts'
import { rebuildFile } from './rebuild-file.ts'
import { start } from './start.ts'

const SETTLE_MS = 30
const watched = ['packages/core/src', 'packages/platform/src', 'apps']

/** The same stack: pages are replaced as they are saved, processes start again when a source of theirs changes. */
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
      const changed = new Set<string>()
      let settling: NodeJS.Timeout | undefined
      const renew = (): void => {
        for (const file of changed) tryToTranspile(place.directory, file)
        changed.clear()
        void supervisor.reload()
      }
      vite.watcher.add(watched.map((folder) => join(place.directory, folder)))
      vite.watcher.on('all', (event, file) => {
        if (event === 'unlink' || !isSource(file)) return
        changed.add(file)
        clearTimeout(settling)
        settling = setTimeout(renew, SETTLE_MS)
      })
    },
  })
}

const isSource = (file: string): boolean =>
  file.endsWith('.ts') &&
  !file.endsWith('.test.ts') &&
  file.includes(`${sep}src${sep}`) &&
  !file.includes('node_modules')

function tryToTranspile(directory: string, file: string): void {
  try {
    rebuildFile(directory, file)
  } catch (error) {
    // Gone again, or half written by an editor: its next event brings it.
    process.stderr.write(`  ${file} was not taken over: ${(error as Error).message}\n`)
  }
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
