import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { bareEnvironment } from '../environment.ts'
import { keepProcess } from '../kept-process.ts'
import { freePort } from '../ports.ts'
import type { Rig } from '../rig.ts'
import { runProgram } from '../run-program.ts'
import { until } from '../wait.ts'
import { engineEnvironment, HERE_OPEN_FILES, podman, storeOptions, tryPodman } from './engine.ts'
import { keepImage, makeStandIns, renderTargets } from './images.ts'

/** The programs that a claim about the compose file needs. */
export const composePrograms = ['podman', 'runc', 'debootstrap', 'docker-compose', 'openssl', 'nsenter'] as const

export interface Container {
  readonly id: string
  readonly service: string
  /** Of its first process, as the machine sees it. */
  readonly pid: number
  readonly ip: readonly string[]
  readonly health: string
  readonly running: boolean
}

/** The production file of the product, up as an operator brings it up, but for ports and what this machine cannot. */
export interface Composed {
  /** Where people would come in, by TLS. */
  readonly url: string
  readonly authority: string
  containers(service?: string): Promise<readonly Container[]>
  /** The first of a service. */
  container(service: string): Promise<Container>
  /** `docker-compose` on it. */
  compose(...args: readonly string[]): Promise<string>
}

const PATIENCE_MS = 300_000

export async function composeProduction(rig: Rig): Promise<Composed> {
  const rendered = await renderTargets(rig)
  const folder = join(rendered, 'deploy')
  const file = join(folder, 'docker-compose.prod.yml')
  const text = readFileSync(file, 'utf8')
  await keepImage(rendered, imageOf(text, 'registry.example.com/'))
  await makeStandIns([...text.matchAll(/image: (docker\.io\S+)/g)].map(([, name = '']) => name))
  await prepare(folder)
  const port = await freePort()
  const here = writeOverride(folder, file, text, port)
  const environment = { ...engineEnvironment(), DOCKER_HOST: await serve(rig) }
  const project = `proof${rig.scratch
    .replace(/[^a-z0-9]/gi, '')
    .slice(-8)
    .toLowerCase()}`
  const compose = async (...args: readonly string[]): Promise<string> => {
    const all = ['-p', project, ...here.flatMap((path) => ['-f', path]), ...args]
    const { code, stdout, stderr } = await runProgram('docker-compose', all, { environment, timeoutMs: PATIENCE_MS })
    if (code !== 0) throw new Error(`docker-compose ${args[0]}: ${stderr.slice(-400)}\n${await lastWords(project)}`)
    return stdout
  }
  const containers = (service?: string) => inspect(project, service)
  rig.defer(async () => {
    await compose('down', '--volumes', '--timeout', '2').catch(() => removeAll(project))
  })
  pumpHealth(rig, project)
  await compose('up', '-d')
  return {
    url: `https://127.0.0.1:${port}`,
    authority: readFileSync(join(folder, 'tls', 'ca.pem'), 'utf8'),
    containers,
    container: async (service) => {
      const [found] = await containers(service)
      if (!found) throw new Error(`there is no container of ${service}`)
      return found
    },
    compose,
  }
}

function imageOf(text: string, prefix: string): string {
  const found = new RegExp(`image: (${prefix.replaceAll('.', '\\.')}\\S+)`).exec(text)?.[1]
  if (!found) throw new Error('the compose file names no image of ours')
  return found
}

async function prepare(folder: string): Promise<void> {
  const { code, stderr } = await runProgram('sh', [join(folder, 'prepare-compose.sh')])
  if (code !== 0) throw new Error(`nothing was prepared: ${stderr}`)
}

/** One machine asks for everybody, and asks again until it is served. */
const generousLimits = { RATE_LIMIT_MAX: '1000000', AUTH_RATE_LIMIT_MAX: '1000000', UPLOAD_RATE_LIMIT_MAX: '1000000' }

/**
 * What an operator of this machine would put beside it: free ports, limits that judges do not meet, and no more open files than the machine grants
 * (and processes: podman asks for a million of them where only files are limited). The compose of Debian is from before the name of a project could be in the file.
 */
function writeOverride(folder: string, file: string, text: string, port: number): readonly string[] {
  const services = [...text.matchAll(/^ {2}(\w+):$/gm)].map(([, name = '']) => name)
  const used = services.filter((name) => new RegExp(`^ {2}${name}:\\n {4}(image|build|user)`, 'm').test(text))
  writeFileSync(
    file,
    text.replace(/^name: .*$/m, '').replace(/^( +)- 80:\d+\n +- 443:(\d+)$/m, `$1- 127.0.0.1:${port}:$2`),
  )
  const override = join(folder, 'here.yml')
  const most = { soft: HERE_OPEN_FILES, hard: HERE_OPEN_FILES }
  writeFileSync(
    override,
    JSON.stringify({
      services: Object.fromEntries(
        used.map((name) => [
          name,
          { ulimits: { nofile: most, nproc: most }, ...(name === 'web' ? { environment: generousLimits } : {}) },
        ]),
      ),
    }),
  )
  return [file, override]
}

/** The interface of Docker, by podman. Gives its address. */
async function serve(rig: Rig): Promise<string> {
  const socket = join(rig.scratch, 'p.sock')
  const address = `unix://${socket}`
  const service = keepProcess(rig.program('podman'), [...storeOptions, 'system', 'service', '--time', '0', address], {
    env: { ...bareEnvironment(), ...engineEnvironment() },
  })
  rig.defer(async () => {
    await service.signal('SIGTERM')
    await service.exited
    rmSync(socket, { force: true })
  })
  await until('podman serves', async () => {
    if (service.exit()) throw new Error(`podman: ${service.output()}`)
    return isServed(socket)
  })
  return address
}

const isServed = (socketPath: string): Promise<boolean> =>
  new Promise((resolve) => {
    get({ socketPath, path: '/_ping' }, (answer) => resolve(answer.resume().statusCode === 200)).once('error', () =>
      resolve(false),
    )
  })

const labelled = (project: string): string[] => ['--filter', `label=com.docker.compose.project=${project}`]

/** Where no systemd runs, nobody asks containers for their health: so we do, as it would. */
function pumpHealth(rig: Rig, project: string): void {
  let isOn = true
  const pump = async (): Promise<void> => {
    while (isOn) {
      const running = await tryPodman('ps', '--quiet', ...labelled(project))
      for (const id of running.stdout.split('\n').filter(Boolean)) if (isOn) await tryPodman('healthcheck', 'run', id)
      await pause(500)
    }
  }
  const ended = pump()
  rig.defer(() => {
    isOn = false
    return ended
  })
}

interface Inspected {
  readonly Id: string
  readonly Config: { readonly Labels: Readonly<Record<string, string>> }
  readonly State: {
    readonly Pid: number
    readonly Running: boolean
    readonly Healthcheck?: { readonly Status: string }
  }
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>> }
}

async function inspect(project: string, service?: string): Promise<readonly Container[]> {
  const filters = service ? ['--filter', `label=com.docker.compose.service=${service}`] : []
  const ids = (await podman('ps', '--all', '--quiet', ...labelled(project), ...filters)).split('\n').filter(Boolean)
  if (ids.length === 0) return []
  const all = JSON.parse(await podman('inspect', ...ids)) as Inspected[]
  return all.map(({ Id, Config, State, NetworkSettings }) => ({
    id: Id,
    service: Config.Labels['com.docker.compose.service'] ?? '',
    pid: State.Pid,
    ip: Object.values(NetworkSettings.Networks ?? {})
      .map(({ IPAddress }) => IPAddress)
      .filter(Boolean),
    health: State.Healthcheck?.Status ?? '',
    running: State.Running,
  }))
}

/** All that stay, healthy where they say so; undefined until then. */
export async function allUp(composed: Composed): Promise<readonly Container[] | undefined> {
  const all = (await composed.containers()).filter(({ service }) => service !== 'migrate')
  const isUp = ({ running, health }: Container): boolean => running && (health === '' || health === 'healthy')
  return all.some(({ service }) => service === 'proxy') && all.every(isUp) ? all : undefined
}

/** What those said that ended with an error. */
async function lastWords(project: string): Promise<string> {
  const { stdout } = await tryPodman(
    'ps',
    '--all',
    '--format',
    '{{.ID}} {{.Names}} {{.ExitCode}}',
    ...labelled(project),
  )
  const said = []
  for (const [id = '', name, code] of stdout.split('\n').map((line) => line.split(' '))) {
    if (!id || code === '0') continue
    const logs = await tryPodman('logs', '--tail', '8', id)
    said.push(`${name} ended with ${code}: ${(logs.stdout + logs.stderr).slice(-1_500)}`)
  }
  return said.join('\n')
}

async function removeAll(project: string): Promise<void> {
  const { stdout } = await tryPodman('ps', '--all', '--quiet', ...labelled(project))
  for (const id of stdout.split('\n').filter(Boolean)) await tryPodman('rm', '--force', '--volumes', id)
}
