#!/usr/bin/env node
// The launcher. It is plain JavaScript because nothing is built when it first runs.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const say = (text) => process.stderr.write(`${text}\n`)

if (major < 20 || (major === 20 && minor < 19)) {
  say(`Seaworthy needs Node 20.19 or newer; this is ${process.versions.node}.`)
  process.exit(1)
}
if (!existsSync(join(root, 'node_modules', '@seaworthy', 'cli'))) {
  say('The dependencies are not installed.\n    HINT: npm ci')
  process.exit(1)
}

// A health check builds nothing and loads nothing else.
const health = join(root, 'packages', 'cli', 'dist', 'health.js')
if (process.argv[2] === 'health' && process.argv.length === 3 && existsSync(health)) {
  const { checkHealth } = await import(pathToFileURL(health).href)
  await checkHealth()
  process.exit()
}

const { ensureBuilt } = await import(pathToFileURL(join(root, 'scripts', 'build.js')).href)
try {
  await ensureBuilt({ force: process.argv[2] === 'build', say })
} catch (error) {
  say(`The build failed.\n${error.message}`)
  process.exit(1)
}
if (process.argv[2] !== 'build') await import(pathToFileURL(join(root, 'packages', 'cli', 'dist', 'main.js')).href)
