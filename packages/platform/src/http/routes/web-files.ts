import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteShorthandOptions } from 'fastify'
import { countAnswer } from '../count-answer.ts'
import { assetHeaders, securityHeaders } from '../headers.ts'
import { sendKeptAsset } from './kept-assets.ts'
import type { WebPagesSettings } from './web-pages.ts'

const FILE_CACHE = 'public, max-age=3600'

/**
 * The files that the build made beside the pages, and those of other releases. The names are read once, and all assets share
 * a route: what the plugin does of its own, a pattern and two routes for each file, costs each start of a process longer
 * than all other routes together.
 */
export async function addWebFiles(
  server: FastifyInstance,
  { directory, isHttps, kept, observe }: WebPagesSettings,
): Promise<void> {
  const vary = 'accept-encoding'
  const hashed = { ...assetHeaders(isHttps), vary }
  const others = { ...securityHeaders(isHttps), vary, 'cache-control': FILE_CACHE }
  const assets = new Set(namesIn(join(directory, 'assets')))
  await server.register(fastifyStatic, {
    root: directory,
    serve: false,
    preCompressed: true,
    // Else the plugin writes a policy of its own over ours.
    cacheControl: false,
    setHeaders: (response, path) => {
      const headers = /[\\/]assets[\\/]/.test(path) ? hashed : others
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    },
  })
  const count = (request: FastifyRequest, reply: FastifyReply): void => countAnswer(request, reply, 'asset', observe)
  for (const name of namesIn(directory))
    server.get(`/${name}`, whole, (request, reply) => {
      count(request, reply)
      return reply.sendFile(name)
    })
  server.get<{ Params: { name: string } }>(
    '/assets/:name',
    whole,
    (request, reply): FastifyReply | Promise<FastifyReply> => {
      count(request, reply)
      const { name } = request.params
      if (assets.has(name)) return reply.sendFile(`assets/${name}`)
      if (kept) return sendKeptAsset(request, reply, { kept, name, headers: hashed })
      reply.callNotFound()
      return reply
    },
  )
}

/** Files that are sent under their own name: not pages, and not the compressed forms beside them. */
function namesIn(directory: string): readonly string[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !/^\.|\.(html|br|gz)$/.test(entry.name))
    .map(({ name }) => name)
}

/** Whoever leaves in the middle of a file is no fault of ours. */
const whole: RouteShorthandOptions = {
  errorHandler(error, request) {
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
    request.raw.destroy()
  },
}
