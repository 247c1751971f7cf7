import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A program that is told what podman is told, and starts processes of this machine instead of containers. */
export interface FakeEngine {
  /** For CONTAINER_ENGINE. */
  readonly program: string
  /** An image that holds what is built in this checkout. Its id. */
  addImage(reference: string, checkout: string, architecture?: string): string
  /** Names of images that are here. */
  images(): readonly string[]
  /** What it was told for each container that it started, oldest first. */
  told(): readonly (readonly string[])[]
}

export function makeEngine(directory: string): FakeEngine {
  const program = join(directory, 'podman')
  mkdirSync(join(directory, 'containers'), { recursive: true })
  writeFileSync(program, `#!${process.execPath}\n${source}`, { mode: 0o755 })
  const file = join(directory, 'images.json')
  const read = (): Record<string, object> =>
    existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, object>) : {}
  return {
    program,
    addImage: (reference, checkout, architecture = process.arch === 'x64' ? 'amd64' : process.arch) => {
      const id = `sha256:${randomBytes(32).toString('hex')}`
      writeFileSync(file, JSON.stringify({ ...read(), [reference]: { id, checkout, architecture } }))
      return id
    },
    images: () => Object.keys(read()),
    told: () =>
      readdirSync(directory)
        .filter((name) => name.startsWith('told-'))
        .sort()
        .map((name) => JSON.parse(readFileSync(join(directory, name), 'utf8')) as string[]),
  }
}

const source = `
const { spawn, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const { join } = require('node:path')
const here = __dirname
const args = process.argv.slice(2)
const say = (text) => fs.writeSync(1, text + '\\n')
const refuse = (text) => { fs.writeSync(2, 'Error: ' + text + '\\n'); process.exit(125) }
const fileOf = (name) => join(here, 'containers', name + '.json')
const read = (path) => (fs.existsSync(path) ? JSON.parse(fs.readFileSync(path, 'utf8')) : undefined)
const write = (path, value) => { fs.writeFileSync(path + '.draft', JSON.stringify(value)); fs.renameSync(path + '.draft', path) }
const images = () => read(join(here, 'images.json')) ?? {}
const imageOf = (name) => Object.entries(images()).find(([reference, { id }]) => reference === name || id === name)?.[1]
const isAlive = (pid) => { try { return fs.readFileSync('/proc/' + pid + '/stat', 'utf8').split(') ')[1][0] !== 'Z' } catch { return false } }
const option = (name) => args[args.indexOf(name) + 1]
const valued = ['--name', '--label', '--user', '--userns', '--cap-drop', '--security-opt', '--tmpfs', '--memory', '--cpus', '--pids-limit',
  '--ulimit', '--network', '--add-host', '--env-file', '--volume', '--restart', '--stop-timeout', '--log-driver', '--log-opt']
const environment = (file) => ({ PATH: process.env.PATH, ...Object.fromEntries(fs.readFileSync(file, 'utf8').split('\\n').filter(Boolean)
  .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)])) })
const sleep = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

const commands = {
  '--version': () => say('podman version 4.3.1'),
  image: () => {
    if (args[1] === 'rm') {
      if (!imageOf(args[2])) refuse('no such image')
      return write(join(here, 'images.json'), Object.fromEntries(Object.entries(images()).filter(([name, { id }]) => name !== args[2] && id !== args[2])))
    }
    const found = imageOf(args[2])
    if (!found) refuse(args[2] + ': no such image')
    say(JSON.stringify([{ Id: found.id.slice(7), Architecture: found.architecture, Config: { Labels: { 'org.opencontainers.image.version': '1.0.0' } } }]))
  },
  pull: () => refuse('no registry'),
  tag: () => write(join(here, 'images.json'), { ...images(), [args[2]]: imageOf(args[1]) }),
  network: () => {
    const file = join(here, 'network-' + args.at(-1))
    if (args[1] === 'create') return fs.writeFileSync(file, args.includes('--internal') ? 'internal' : '')
    if (!fs.existsSync(file)) refuse('no such network')
    say(JSON.stringify([{ internal: fs.readFileSync(file, 'utf8') === 'internal', subnets: [{ gateway: '10.89.0.1' }] }]))
  },
  container: () => {
    const found = read(fileOf(args.at(-1)))
    if (!found) refuse('no such container ' + args.at(-1))
    say((isAlive(found.pid) ? 'running ' : 'exited ') + found.restarts)
  },
  logs: () => fs.existsSync(fileOf(args.at(-1)) + '.log') && say(fs.readFileSync(fileOf(args.at(-1)) + '.log', 'utf8')),
  run: () => {
    fs.writeFileSync(join(here, 'told-' + Date.now() + '-' + process.pid), JSON.stringify(args))
    let at = 1
    while (args[at].startsWith('--')) at += valued.includes(args[at]) ? 2 : 1
    const image = imageOf(args[at])
    if (!image) refuse('no such image ' + args[at])
    const file = option('--env-file')
    if ((fs.statSync(file).mode & 0o777) !== 0o600) refuse('the file of settings is open to others')
    const what = { program: join(image.checkout, 'packages/cli/dist/main.js'), args: args.slice(at + 1), env: environment(file), restarts: 0 }
    if (!args.includes('--detach')) process.exit(spawnSync(process.execPath, [what.program, ...what.args], { env: what.env, stdio: 'inherit' }).status ?? 1)
    if (fs.existsSync(fileOf(option('--name')))) refuse('the name is in use')
    write(fileOf(option('--name')), what)
    const keeper = spawn(process.execPath, [__filename, 'keep', option('--name')], { detached: true, stdio: 'ignore' })
    write(fileOf(option('--name')), { ...what, pid: keeper.pid })
    keeper.unref()
  },
  // As the engine itself: starts it again whenever it ends.
  keep: () => {
    const file = fileOf(args[1])
    let child
    let isOver = false
    process.on('SIGTERM', () => { isOver = true; child.kill('SIGTERM') })
    const start = () => {
      const about = read(file)
      const log = fs.openSync(file + '.log', 'a')
      child = spawn(process.execPath, [about.program, ...about.args], { env: about.env, stdio: ['ignore', log, log] })
      child.once('exit', () => {
        if (isOver || !fs.existsSync(file)) process.exit(0)
        write(file, { ...read(file), restarts: read(file).restarts + 1 })
        setTimeout(start, 100)
      })
    }
    start()
  },
  stop: () => {
    const found = read(fileOf(args.at(-1)))
    if (!found) refuse('no such container')
    if (isAlive(found.pid)) process.kill(found.pid, 'SIGTERM')
    while (isAlive(found.pid)) sleep(20)
  },
  rm: () => {
    const found = read(fileOf(args.at(-1)))
    if (!found) refuse('no such container')
    if (isAlive(found.pid)) commands.stop()
    for (const ending of ['', '.log']) fs.rmSync(fileOf(args.at(-1)) + ending, { force: true })
  },
}
commands[args[0]]()
`
