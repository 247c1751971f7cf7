import { fault } from '@seaworthy/core'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { KeptAssets } from '../../assets/index.ts'
import { acceptedEncodings } from './prepared-page.ts'

interface Asked {
  readonly kept: KeptAssets
  readonly name: string
  /** The same that files of this release have. */
  readonly headers: Readonly<Record<string, string>>
}

/** A file that this release does not have and another did. */
export async function sendKeptAsset(
  request: FastifyRequest,
  reply: FastifyReply,
  { kept, name, headers }: Asked,
): Promise<FastifyReply> {
  const asset = await kept.find(name, acceptedEncodings(request.headers['accept-encoding'])).catch((cause: unknown) => {
    throw fault('unavailable', { cause, internal: 'the kept files of the pages cannot be read' })
  })
  if (!asset) {
    reply.callNotFound()
    return reply
  }
  const { type, encoding, body } = asset
  return reply
    .headers({
      ...headers,
      'content-type': type,
      ...(encoding ? { 'content-encoding': encoding } : {}),
    })
    .send(body)
}
