import { randomBytes } from 'node:crypto'
import { SECOND } from '@seaworthy/core'
import { journeys, openVisitor } from '@seaworthy/journeys'
import { openCapabilities, openSyntheticPerson } from '@seaworthy/platform/boot'
import { type Config, readConfig } from '@seaworthy/platform/config'
import { createHealth, createLogger, createMetrics } from '@seaworthy/platform/telemetry'
import { connectionOf } from './database.ts'
import { findPlace, loadSystem } from './place.ts'

const ANSWER_MS = 30 * SECOND

const print = (text: string): void => void process.stdout.write(`${text}\n`)

/** Uses each app through the socket of a release, as a synthetic person, and tells the steps. Throws at the first that fails. */
export async function walkJourneys({ socket }: { readonly socket: string }, tell = print): Promise<void> {
  const place = findPlace()
  const config = readConfig(place.directory)
  const system = await loadSystem(place)
  const telemetry = {
    log: createLogger({ level: 'error', process: 'command' }),
    metrics: createMetrics(),
    health: createHealth(),
  }
  const capabilities = await openCapabilities(config, connectionOf(config, 'app').endpoint, 'command', telemetry)
  try {
    const person = await openSyntheticPerson(system, capabilities)
    const visitor = openVisitor({ socketPath: socket, headers: headersOf(config), timeoutMs: ANSWER_MS })
    for (const { name } of system.apps) {
      const { steps, spent } = (await journeys[name]?.(visitor, person)) ?? { steps: [], spent: 0 }
      if (spent > 0) await person.refund(spent)
      for (const step of steps) tell(`${name}: ${step.name}, ${step.ms} ms`)
    }
  } finally {
    await capabilities.database.close()
  }
}

/** As the proxy in front would. From a network of its own each time, so that no limit counts journeys with people. */
function headersOf({ publicUrl }: Config): Record<string, string> {
  const url = new URL(publicUrl)
  const network = randomBytes(4)
    .toString('hex')
    .replace(/(.{4})(.{4})/, '$1:$2')
  return {
    host: url.host,
    'user-agent': 'seaworthy-journey',
    'x-forwarded-for': `2001:db8:${network}::1`,
    'x-forwarded-proto': url.protocol.slice(0, -1),
  }
}
