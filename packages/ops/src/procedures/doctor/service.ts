import { get } from 'node:https'
import { SECOND } from '@seaworthy/core'
import { type Address, type Answer, ask } from '../host/ask.ts'
import { socketPath } from '../host/layout.ts'
import { adminOf as adminOfRelease } from '../host/release-view.ts'
import { type Installation, settingsOf } from './installation.ts'

/** What the supervisor says of the parts that it keeps running. */
export interface ServiceView {
  readonly status: string
  readonly release: string
  readonly parts: readonly {
    readonly name: string
    readonly state: string
    readonly pid?: number
    readonly restarts: number
  }[]
}

const ASK_MS = 3 * SECOND

/** Metrics and detailed health of what serves here; undefined when nobody answers. */
export async function readService(here: Installation): Promise<ServiceView | undefined> {
  const { text } = await ask(adminOf(here), '/health', ASK_MS)
  try {
    const view = JSON.parse(text) as Partial<ServiceView>
    return view.parts ? (view as ServiceView) : undefined
  } catch {
    return undefined
  }
}

/** What Prometheus would read; undefined when nobody answers. */
export async function readMetrics(here: Installation): Promise<string | undefined> {
  const { status, text } = await ask(adminOf(here), '/metrics', ASK_MS)
  return status === 200 ? text : undefined
}

/** As a proxy or a person asks: is it ready? Status 0 when nobody answers. */
export function askReady(here: Installation): Promise<Answer> {
  const { tlsCertFile, port } = settingsOf(here)
  return tlsCertFile && !here.host ? askTls(port) : ask(entranceOf(here), '/health/ready', ASK_MS)
}

/** Whether its certificate is a good one is looked at elsewhere. */
const askTls = (port: number): Promise<Answer> =>
  new Promise((resolve) => {
    const options = {
      host: '127.0.0.1',
      port,
      path: '/health/ready',
      rejectUnauthorized: false,
      timeout: ASK_MS,
      agent: false,
    }
    const asked = get(options, (answer) => {
      answer.resume()
      resolve({ status: answer.statusCode ?? 0, text: '' })
    })
    asked.once('timeout', () => asked.destroy())
    asked.once('error', () => resolve({ status: 0, text: '' }))
  })

function adminOf(here: Installation): Address {
  if (here.host) return adminOfRelease(here.host.layout, here.serving ?? '')
  const { adminSocket, adminPort } = settingsOf(here)
  return adminSocket ? { socketPath: adminSocket } : { port: adminPort }
}

function entranceOf(here: Installation): Address {
  if (here.host) return { socketPath: socketPath(here.host.layout, here.serving ?? 'none') }
  const { socket, port } = settingsOf(here)
  return socket ? { socketPath: socket } : { port }
}

/** The value of one number of the metrics, all labels added up; undefined when it is not there. */
export function metricOf(text: string, name: string, labels?: RegExp): number | undefined {
  const lines = [...text.matchAll(new RegExp(`^${name}(\\{[^}]*\\})? (\\S+)$`, 'gm'))]
  const chosen = labels ? lines.filter(([, inside = '']) => labels.test(inside)) : lines
  return chosen.length ? chosen.reduce((sum, [, , value]) => sum + Number(value), 0) : undefined
}
