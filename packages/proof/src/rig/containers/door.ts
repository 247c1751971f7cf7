import { chmodSync } from 'node:fs'
import { request } from 'node:http'
import { connect, createServer } from 'node:net'
import { at, list, texts } from '../manifests.ts'
import type { Rig } from '../rig.ts'
import { type Played, type PlayedPod, portOf } from './played.ts'

/**
 * What a cluster would do with the Service of the manifests: whoever connects to `socketPath` comes to a pod with the
 * labels of its selector, at the port that its `targetPort` means there. A Service that leads nowhere refuses.
 */
export async function openDoor(rig: Rig, played: Played, socketPath: string): Promise<void> {
  const service = played.manifests.find(({ kind }) => kind === 'Service')
  const wanted = Object.entries(texts(at(service?.json, 'spec', 'selector')))
  const [port] = list(at(service?.json, 'spec', 'ports'))
  const pods = played.pods.filter(
    ({ labels }) => wanted.length > 0 && wanted.every(([name, value]) => labels[name] === value),
  )
  const server = createServer({ allowHalfOpen: true }, (inside) => {
    const pod = pods[0]
    const target = pod && portOf(pod, at(port, 'targetPort') ?? at(port, 'port'))
    if (!pod || !target) return void inside.destroy()
    const outside = connect({ host: pod.ip, port: target, allowHalfOpen: true })
    for (const [from, to] of [
      [inside, outside],
      [outside, inside],
    ] as const)
      from.pipe(to).on('error', () => from.destroy())
    inside.on('error', () => outside.destroy()).on('close', () => outside.destroy())
  })
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))
  // Who runs in the pod is somebody else.
  chmodSync(socketPath, 0o777)
  rig.defer(() => server.close())
}

interface Answered {
  /** 0 when there was none. */
  readonly status: number
  readonly body: string
}

export interface Asked {
  readonly method?: string
  readonly json?: unknown
  readonly bytes?: Uint8Array
  readonly token?: string
  /** Of whoever asks: limits count by it. */
  readonly address?: string
}

const PATIENCE_MS = 10_000

/** Asks as the Ingress would for somebody. */
export function askDoor(socketPath: string, host: string, path: string, asked: Asked = {}): Promise<Answered> {
  const { json, bytes, token, address = '203.0.113.7' } = asked
  const body = bytes ?? (json === undefined ? undefined : Buffer.from(JSON.stringify(json)))
  const headers = {
    host,
    'x-forwarded-for': address,
    'x-forwarded-proto': 'https',
    ...(json === undefined ? {} : { 'content-type': 'application/json' }),
    ...(body === undefined ? {} : { 'content-length': body.length }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  }
  return new Promise((resolve) => {
    const none = (error: Error): void => resolve({ status: 0, body: error.message })
    const method = asked.method ?? (body ? 'POST' : 'GET')
    const sent = request({ socketPath, path, method, headers, agent: false, timeout: PATIENCE_MS }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, body: text })).once('error', none)
    })
    sent.once('timeout', () => sent.destroy(new Error('too late'))).once('error', none)
    sent.end(body)
  })
}

/** Asks a pod what its manifest tells the kubelet to ask, once. */
export async function isProbed(pod: PlayedPod, probe: string): Promise<boolean> {
  const asked = at(pod.container, probe)
  const port = portOf(pod, at(asked, 'httpGet', 'port'))
  const path = String(at(asked, 'httpGet', 'path'))
  const timeoutMs = Number(at(asked, 'timeoutSeconds') ?? 1) * 1_000
  if (!port) return false
  return fetch(`http://${pod.ip}:${port}${path}`, { signal: AbortSignal.timeout(timeoutMs) }).then(
    async (answer) => {
      await answer.arrayBuffer()
      return answer.status === 200
    },
    () => false,
  )
}
