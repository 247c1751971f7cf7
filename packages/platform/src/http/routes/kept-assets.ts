import { fault } from '@seaworthy/core'
import type { FastifyInstance } from 'fastify'
import type { KeptAssets } from '../../assets/index.ts'
import { acceptedEncodings } from './prepared-page.ts'

interface KeptAssetsSettings {
  readonly kept: KeptAssets
  /** The same that files of this release have. */
  readonly headers: Readonly<Record<string, string>>
}

/** Files that this release does not have and another did. Those that it has are routes of their own, and never come here. */
export function addKeptAssets(server: FastifyInstance, { kept, headers }: KeptAssetsSettings): void {
  server.get<{ Params: { name: string } }>('/assets/:name', async (request, reply) => {
    const asset = await kept
      .find(request.params.name, acceptedEncodings(request.headers['accept-encoding']))
      .catch((cause: unknown) => {
        throw fault('unavailable', { cause, internal: 'the kept files of the pages cannot be read' })
      })
    if (!asset) return reply.callNotFound()
    const { type, encoding, body } = asset
    return reply
      .headers({
        ...headers,
        'content-type': type,
        vary: 'accept-encoding',
        ...(encoding ? { 'content-encoding': encoding } : {}),
      })
      .send(body)
  })
}
