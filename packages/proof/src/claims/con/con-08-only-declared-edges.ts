import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { defineClaim, exactly } from '../../claim.ts'
import { allUp, type Container, composeProduction, composePrograms } from '../../rig/containers/composed.ts'
import { podman } from '../../rig/containers/engine.ts'
import type { Rig } from '../../rig/rig.ts'
import { runProgram } from '../../rig/run-program.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

/** Who may open connections to what, as the documents say. */
const edges = ['proxy web 3000', 'web database 5432', 'worker database 5432', 'web redis 6379']
/** A network lets both of its ends speak first: what a neighbour serves to everybody is no secret to it. */
const neighbours = ['database web 3000', 'redis web 3000', 'web proxy 8080', 'web proxy 8443']
const waysOut = ['proxy', 'worker']
/** Of packets that are dropped; others are answered or refused at once. */
const PATIENCE_MS = 2_000
const production = 'packages/ops/src/targets/compose/production.ts'

export const claim = defineClaim({
  id: 'CON-08',
  says: 'In the production file only nginx has ports of the machine; nobody reaches the database but web processes and workers, nobody Redis but web processes, nobody the metrics, and neither database nor Redis nor web processes have a way out; a service reaches what the list of edges names, and of its direct neighbours what they serve anyway',
  answers: ['X14', 'X2', 'ASVS 13.2.4'],
  witness: 'connections attempted from inside the network of each container to every port that listens in any other',
  needs: [...composePrograms],
  tier: 'soak',
  seconds: 90,
  limits: {
    'ports reached that nobody declared': exactly(0, 'ports'),
    'services with a way out that need none': exactly(0, 'services'),
    'ports of the machine besides those of nginx': exactly(0, 'ports'),
  },
  experiment: async (rig) => {
    const composed = await composeProduction(rig)
    const running = await until('all are up', () => allUp(composed), 240_000)
    const reached = await reachedPorts(running)
    const beyond = await listenBeyond(rig)
    const out: string[] = []
    for (const container of running)
      out.push(...(await connections(container, [{ way: container.service, ...beyond }])))
    const published = await publishedBy(running)
    const undeclared = reached.filter((way) => !edges.includes(way) && !neighbours.includes(way))
    const needless = out.filter((service) => !waysOut.includes(service))
    const others = published.filter(({ service }) => service !== 'proxy')
    return {
      measured: {
        'ports reached that nobody declared': undeclared.length,
        'services with a way out that need none': needless.length,
        'ports of the machine besides those of nginx': others.length,
      },
      met: {
        'every declared edge was reached': edges.every((edge) => reached.includes(edge)),
        'the worker reached beyond the machine’s networks': out.includes('worker'),
        'nginx has ports of the machine': published.some(({ service }) => service === 'proxy'),
      },
      evidence: [`reached: ${reached.join(', ')}`, `a way out: ${out.join(', ')}`, ...undeclared, ...needless],
    }
  },
  sabotages: [
    patch(
      'all are in one network',
      'packages/ops/src/targets/compose/networks.ts',
      'open[from] ?? open[to] ?? `${from}-${to}`',
      "open[from] ?? open[to] ?? 'all'",
    ),
    patch(
      'metrics listen to everybody',
      'packages/ops/src/description/values.ts',
      "ADMIN_HOST: (place) => (inCluster(place) ? '0.0.0.0' : '127.0.0.1'),",
      "ADMIN_HOST: () => '0.0.0.0',",
    ),
    patch(
      'the database has a port of the machine',
      production,
      'database: { ...database(about), restart }',
      "database: { ...database(about), restart, ports: ['127.0.0.1::5432'] }",
    ),
  ],
})

/** Ports on which somebody listens in the network of a container, by the kernel’s own table. */
function listening({ pid }: Container): readonly number[] {
  const rows = ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8').split('\n').slice(1),
  )
  const open = rows.map((row) => row.trim().split(/\s+/)).filter((fields) => fields[3] === '0A')
  return [...new Set(open.map(([, address = '']) => Number.parseInt(address.split(':')[1] ?? '', 16)))]
}

/** `proxy web 3000` for every port of another service that accepted a connection. */
async function reachedPorts(running: readonly Container[]): Promise<readonly string[]> {
  const found = new Set<string>()
  for (const from of running) {
    const others = running.filter(({ service }) => service !== from.service)
    const targets = others.flatMap((to) =>
      listening(to).flatMap((port) =>
        to.ip.map((host) => ({ way: `${from.service} ${to.service} ${port}`, host, port })),
      ),
    )
    for (const way of await connections(from, targets)) found.add(way)
  }
  return [...found].sort()
}

interface Target {
  readonly way: string
  readonly host: string
  readonly port: number
}

/** The ways of those that accept a connection from inside the network of a container. */
async function connections({ pid }: Container, targets: readonly Target[]): Promise<readonly string[]> {
  const script = `for (const { way, host, port } of ${JSON.stringify(targets)}) {
    const socket = require('net').connect({ host, port, timeout: ${PATIENCE_MS} }, () => socket.destroy(console.log(way)))
    socket.on('error', () => undefined).on('timeout', () => socket.destroy())
  }`
  const inside = ['--target', String(pid), '--net', process.execPath, '-e', script]
  const { code, stdout, stderr } = await runProgram('nsenter', inside)
  if (code !== 0) throw new Error(`nobody could look from inside: ${stderr.slice(-300)}`)
  return stdout.split('\n').filter(Boolean)
}

/** Somebody who listens on the machine’s own address, which stands for the world. */
async function listenBeyond(rig: Rig): Promise<Omit<Target, 'way'>> {
  const host = Object.entries(networkInterfaces())
    .filter(([name]) => !/^(lo|podman|cni|br-|veth|docker)/.test(name))
    .flatMap(([, addresses]) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address
  if (!host) throw new Error('this machine has no address')
  const server = createServer((socket) => socket.end())
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  rig.defer(() => server.close())
  return { host, port: (server.address() as { port: number }).port }
}

async function publishedBy(running: readonly Container[]): Promise<readonly { service: string; port: string }[]> {
  const found = []
  for (const { id, service } of running)
    for (const port of (await podman('port', id)).split('\n').filter(Boolean)) found.push({ service, port })
  return found
}
