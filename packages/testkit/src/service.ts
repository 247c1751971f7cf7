import { mkdtempSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Api, createApi } from '@seaworthy/client'
import { systemClock } from '@seaworthy/core'
import { cosnap } from '@seaworthy/cosnap/app'
import {
  type Capabilities,
  createCloser,
  openCapabilities,
  openJobRunner,
  openWebService,
  type System,
} from '@seaworthy/platform/boot'
import type { Environment } from '@seaworthy/platform/config'
import { createHoldingServer } from '@seaworthy/platform/http'
import { makeFirstOperatorLink } from '@seaworthy/platform/identity'
import { createHealth, createMemoryLogger, createMetrics } from '@seaworthy/platform/telemetry'
import { openTestDatabase, type TestDatabase } from './database.ts'

export interface TestService {
  readonly url: string
  readonly server: Server
  readonly capabilities: Capabilities
  readonly test: TestDatabase
  readonly log: readonly string[]
  /** Somebody new, signed in. */
  newcomer(): Promise<Newcomer>
  /** Somebody new who operates the installation. Once. */
  operator(): Promise<Newcomer>
  /** Takes jobs from the queue until stopped. */
  startWorker(): Promise<{ stop(): Promise<void> }>
  close(): Promise<void>
}

export interface Newcomer {
  readonly api: Api
  readonly email: string
  readonly password: string
  readonly token: string
  readonly accountId: string
  /** A request as this person, with nothing of the client around it. */
  fetch(path: string, init?: RequestInit): Promise<Response>
}

export const generous = {
  RATE_LIMIT_MAX: '100000',
  AUTH_RATE_LIMIT_MAX: '100000',
  UPLOAD_RATE_LIMIT_MAX: '100000',
  EFFECTS_RATE_LIMIT_MAX: '100000',
}

/** The whole service in this process, on a database of its own or the one that is given, and a free port. Limits are generous unless set. */
export async function openTestService(
  environment: Environment = {},
  system: System = { apps: [cosnap] },
  given?: TestDatabase,
): Promise<TestService> {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'seaworthy-service-'))
  const test = given ?? (await openTestDatabase({ ...generous, ...environment }))
  const memory = createMemoryLogger()
  const log = memory
  const config = { ...test.config, dataDirectory, publicUrl: 'http://localhost' }
  const telemetry = { log, metrics: createMetrics(), health: createHealth() }
  const capabilities = await openCapabilities(config, test.endpoint, 'test', telemetry)
  const closer = createCloser(log)
  const server = createHoldingServer({ requestMs: test.config.requestMs })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const place = {
    directory: dataDirectory,
    webDirectory: join(dataDirectory, 'web'),
    build: { version: 'test', commit: 'test', sources: 'test' },
  }
  await openWebService(system, capabilities, place, server, { front: closer, closer })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    server,
    capabilities,
    test,
    log: memory.lines,
    newcomer: () => signUp(url),
    operator: async () => signUp(url, await makeFirstOperatorLink(capabilities.database, systemClock)),
    startWorker: () =>
      openJobRunner(system, capabilities, (error) => log.error('queue failed', { runbook: 'jobs-stuck', error })),
    close: async () => {
      server.closeAllConnections()
      await closer.close()
      await new Promise<void>((resolve) => server.close(() => resolve()))
      await capabilities.ai.stop()
      await capabilities.database.close()
      if (!given) await test.close()
      rmSync(dataDirectory, { recursive: true, force: true })
    },
  }
}

let people = 0

/** Somebody new, on any service. */
export async function signUp(url: string, operatorToken?: string): Promise<Newcomer> {
  const email = `person-${process.pid}-${++people}@example.com`
  const password = 'a boat for everyone'
  const api = createApi({ baseUrl: url })
  const { data } = await api.http.POST('/api/identity/sign-up', {
    body: { email, password, ...(operatorToken ? { operatorToken } : {}) },
  })
  if (!data) throw new Error('the sign-up gave no session')
  api.session.accept(data)
  const token = data.accessToken
  return {
    api,
    email,
    password,
    token,
    accountId: data.user.accountId,
    fetch: (path, init = {}) =>
      fetch(`${url}${path}`, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } }),
  }
}
