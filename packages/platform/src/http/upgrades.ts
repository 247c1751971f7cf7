import { type IncomingMessage, type Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { fault, newId } from '@seaworthy/core'
import { SOCKET_PATH } from '../realtime/index.ts'
import { problemOf } from './reply.ts'

/**
 * A request that offers another protocol is answered in this one, unless it is for a WebSocket at the sockets' address:
 * a server may ignore the offer, and not the request (RFC 9110, section 7.8).
 */
export function answerUpgrades(server: Server, headers: Readonly<Record<string, string>>): void {
  server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
    const isWebSocket = request.headers.upgrade?.toLowerCase() === 'websocket'
    if (isWebSocket && request.url?.startsWith(SOCKET_PATH)) return
    const response = new ServerResponse(request)
    response.shouldKeepAlive = false
    response.assignSocket(socket as Parameters<ServerResponse['assignSocket']>[0])
    response.once('finish', () => socket.end())
    // The parser has let go of the connection: a body that follows cannot be read any more.
    if (hasBody(request)) return void refuse(response, headers)
    request.push(null)
    server.emit('request', request, response)
  })
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

function refuse(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
  const problem = fault('malformed_request', { detail: 'Send a body without offering another protocol.' })
  response
    .writeHead(problem.status, { ...headers, connection: 'close' })
    .end(JSON.stringify(problemOf(problem, newId())))
}
