import { connect } from 'node:net'
import { MiB, SECOND } from '@seaworthy/core'
import { memoryOf } from '../../host/process-mark.ts'
import { boundOf, readTraffic } from '../../host/traffic.ts'
import { bad, good, none, warn } from '../finding.ts'
import { type Installation, settingsOf } from '../installation.ts'
import { askReady, metricOf, readMetrics, readService } from '../service.ts'
import type { Check } from './check.ts'

const startIt = ({ host, serving }: Installation): string =>
  host
    ? `seaworthy rollback ${serving ?? '<release>'} --root ${host.layout.root}   # starts it; with systemd: systemctl start`
    : 'npm start'

/** Every part of it, and an answer on the way that people's requests take. */
export const service: Check = {
  title: 'service',
  look: async (here) => {
    const view = await readService(here)
    if (!view) return warn('does not run', startIt(here))
    const late = view.parts.filter(({ state }) => state !== 'ready')
    if (late.length)
      return bad(late.map(({ name, state }) => `${name} is ${state}`).join(', '), 'seaworthy runbook service-down')
    if (settingsOf(here).webProcesses === 0)
      return good(`${view.parts.length} parts are ready; no web process is meant to run`)
    const { status, text } = await askReady(here)
    return status === 200
      ? good(`${view.parts.length} parts of release ${view.release.slice(0, 12)} are ready`)
      : bad(`it runs and answers ${status || 'nothing'} ${text.slice(0, 80)}`, 'seaworthy runbook service-down')
  },
}

const RESTARTS_MAX = 3

export const restarts: Check = {
  title: 'processes that end',
  look: async (here) => {
    const view = await readService(here)
    if (!view) return none('the service does not run')
    const ended = view.parts.filter(({ restarts }) => restarts > 0)
    const found = ended.map(({ name, restarts }) => `${name} was started again ${restarts} times`).join(', ')
    if (ended.length === 0) return good('none ended since the start')
    return ended.some(({ restarts }) => restarts > RESTARTS_MAX)
      ? bad(found, 'seaworthy runbook service-down')
      : warn(found, 'the log says why: a process ended and is started again')
  },
}

/** Nobody else may sit where the service is to listen. */
export const ports: Check = {
  title: 'ports',
  look: async (here) => {
    if (here.host) return none('releases listen on sockets')
    const { port, host, adminPort, webProcesses, socket } = settingsOf(here)
    if (await readService(here)) return good(`${adminPort} is the service's`)
    const wanted = webProcesses > 0 && !socket ? [port, adminPort] : [adminPort]
    const taken: number[] = []
    for (const wish of wanted)
      if (wish !== 0 && (await isTaken(host === '0.0.0.0' ? '127.0.0.1' : host, wish))) taken.push(wish)
    return taken.length
      ? bad(
          `something else listens on ${taken.join(' and ')}`,
          `who: ss -ltnp 'sport = :${taken[0]}'   # end it, or set PORT and ADMIN_PORT`,
        )
      : good(`${wanted.join(' and ')} are free`)
  },
}

const isTaken = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: SECOND })
    const end = (taken: boolean): void => {
      socket.destroy()
      resolve(taken)
    }
    socket.once('connect', () => end(true))
    socket.once('timeout', () => end(false))
    socket.once('error', () => end(false))
  })

const ENOUGH_REQUESTS = 20
const ERRORS_WARN = 0.01
const ERRORS_BAD = 0.05

export const errors: Check = {
  title: 'failed requests',
  look: async (here) => {
    const text = await readMetrics(here)
    if (text === undefined) return none('the service does not run')
    const { requests, errors } = readTraffic(text)
    const found = `${errors} of ${requests} requests failed since the start`
    if (requests < ENOUGH_REQUESTS || errors === 0) return good(found)
    if (errors / requests >= ERRORS_BAD) return bad(found, 'seaworthy runbook requests-fail')
    return errors / requests >= ERRORS_WARN ? warn(found, 'seaworthy runbook requests-fail') : good(found)
  },
}

const SLOW_WARN_S = 1
const SLOW_BAD_S = 5

export const latency: Check = {
  title: 'slow answers',
  look: async (here) => {
    const text = await readMetrics(here)
    if (text === undefined) return none('the service does not run')
    const traffic = readTraffic(text)
    const bound = boundOf(traffic, 0.95)
    if (bound === undefined || traffic.requests < ENOUGH_REQUESTS) return good('too few requests to say')
    const waiting = metricOf(text, 'database_waiting') ?? 0
    const found = `95 of 100 answers within ${bound} s since the start, ${waiting} requests wait for a connection`
    if (bound > SLOW_BAD_S) return bad(found, 'seaworthy runbook requests-fail')
    return bound > SLOW_WARN_S || waiting > 0 ? warn(found, 'seaworthy runbook requests-fail') : good(found)
  },
}

const REFUSED_PART = 0.05

/** By limits (429), by fullness (503 before anything else), and who was suspicious. */
export const refused: Check = {
  title: 'refused requests',
  look: async (here) => {
    const text = await readMetrics(here)
    if (text === undefined) return none('the service does not run')
    const limited = metricOf(text, 'http_request_duration_seconds_count', /status_code="429"/) ?? 0
    const shed = metricOf(text, 'http_requests_shed_total') ?? 0
    const suspects = metricOf(text, 'suspicious_total') ?? 0
    const { requests } = readTraffic(text)
    const found = `${limited} by limits, ${shed} because it was full, ${suspects} times somebody was suspicious, of ${requests} requests`
    const many = limited + shed > ENOUGH_REQUESTS && (limited + shed) / (requests + shed) > REFUSED_PART
    return many || suspects > 0 ? warn(found, 'seaworthy runbook too-many-refused') : good(found)
  },
}

const PROCESS_BYTES_WARN = 1024 * MiB

export const processMemory: Check = {
  title: 'memory of processes',
  look: async (here) => {
    const view = await readService(here)
    if (!view) return none('the service does not run')
    const sizes = view.parts.flatMap(({ name, pid }) => (pid ? [{ name, bytes: memoryOf(pid) }] : []))
    const found = sizes.map(({ name, bytes }) => `${name} ${Math.round(bytes / MiB)} MiB`).join(', ')
    return sizes.some(({ bytes }) => bytes > PROCESS_BYTES_WARN)
      ? warn(found, 'seaworthy runbook memory-grows')
      : good(found)
  },
}
