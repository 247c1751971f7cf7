/**
 * One GET with every stage on and no database in it, beside bare `node:http` and beside the stack of the source
 * documents (Express 5 with helmet, cors, express-rate-limit, winston, prom-client, jsonwebtoken, zod). The three
 * servers are processes of their own, on what `npm run build` made, and take turns, so that the machine's mood hits them alike; read the ratios.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { machineLine, spread, throughput } from './measure.ts'

const ROUNDS = 5
const SECONDS = 3
const CONNECTIONS = 64
const kinds = ['node', 'seaworthy', 'express'] as const
type Kind = (typeof kinds)[number]

interface Running {
  readonly child: ChildProcess
  readonly url: string
  readonly headers: Record<string, string>
}

function start(kind: Kind): Promise<Running> {
  const child = fork(new URL('./lifecycle-server.ts', import.meta.url), [kind], {
    // The built platform, as in production: only this file's neighbour is read as TypeScript.
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  return new Promise((resolve, reject) => {
    child.once('message', (message: { url: string; headers: Record<string, string> }) => resolve({ child, ...message }))
    child.once('exit', (code) => reject(new Error(`${kind} ended with ${code}`)))
  })
}

const running = new Map<Kind, Running>()
const results = new Map<Kind, number[]>(kinds.map((kind) => [kind, []]))
try {
  for (const kind of kinds) running.set(kind, await start(kind))
  for (let round = -1; round < ROUNDS; round++) {
    for (const [kind, { url, headers }] of running) {
      const value = await throughput({ url, headers, connections: CONNECTIONS, seconds: round < 0 ? 1 : SECONDS })
      if (round >= 0) results.get(kind)?.push(value)
    }
  }
} finally {
  for (const { child } of running.values()) child.kill()
}

console.log(`${machineLine()}; ${CONNECTIONS} connections, ${ROUNDS} rounds of ${SECONDS} s\n`)
const base = results.get('node') ?? []
for (const [kind, values] of results) {
  const { median, min, max } = spread(values)
  const ratios = spread(values.map((value, i) => value / (base[i] ?? value)))
  console.log(
    `${kind.padEnd(10)} ${median.toFixed(0).padStart(7)} requests/s (${min.toFixed(0)} to ${max.toFixed(0)})   of node:http ${ratios.median.toFixed(3)} (${ratios.min.toFixed(3)} to ${ratios.max.toFixed(3)})`,
  )
}
