// One build at a time in one checkout. The kernel keeps the lock, as a name that only one process can listen on, and gives it
// back however that process went; whoever waits holds a connection to it, which ends with it.
import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Runs `work` when nobody else does it for this directory.
 * @template T
 * @param {string} directory Who builds the same has the same.
 * @param {() => Promise<T>} work
 * @param {() => void} [onWait] Called once, when somebody else is at it.
 * @returns {Promise<T>}
 */
export async function oneAtATime(directory, work, onWait = () => undefined) {
  const name = nameOf(directory)
  let release = await hold(name)
  if (!release) onWait()
  while (!release) {
    await untilGone(name)
    release = await hold(name)
  }
  try {
    return await work()
  } finally {
    release()
  }
}

/** In the abstract namespace of Linux and as a pipe of Windows no file is left behind; elsewhere one is, and is taken over. */
function nameOf(directory) {
  const name = `seaworthy-build-${createHash('sha256').update(directory).digest('hex').slice(0, 24)}`
  if (process.platform === 'linux') return `\0${name}`
  return process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : join(tmpdir(), `${name}.sock`)
}

/** @returns {Promise<(() => void) | undefined>} Lets go; undefined when somebody else holds it. */
function hold(name) {
  const waiting = new Set()
  const server = createServer((socket) => waiting.add(socket.on('error', () => undefined)))
  return new Promise((resolve, reject) => {
    server.once('error', (error) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)))
    server.listen(name, () =>
      resolve(() => {
        server.close()
        for (const socket of waiting) socket.destroy()
      }),
    )
  })
}

function untilGone(name) {
  return new Promise((resolve) => {
    const socket = connect(name)
    socket.resume()
    socket.once('error', (error) => {
      // Its holder was killed where the name is a file.
      if (error.code === 'ECONNREFUSED' && name.startsWith('/')) rmSync(name, { force: true })
    })
    socket.once('close', () => resolve())
  })
}
