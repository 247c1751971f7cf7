import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cosnap } from '@seaworthy/cosnap/app'
import { prepareDatabase } from '@seaworthy/platform/boot'
import { readConfig } from '@seaworthy/platform/config'
import { startEmbeddedServer } from '@seaworthy/platform/data'
import { createMemoryLogger } from '@seaworthy/platform/telemetry'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    readonly seaworthy: { readonly dataDirectory: string; readonly port: number; readonly adminPassword: string }
  }
}

/** One PostgreSQL for the whole run, with a migrated database that each test file clones. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'seaworthy-tests-'))
  const config = readConfig(dataDirectory, { DATA_DIR: dataDirectory })
  const server = await startEmbeddedServer(dataDirectory, 'only for tests')
  const { endpoint, admin } = server
  await prepareDatabase({ endpoint, admin, embedded: server }, config, [cosnap], createMemoryLogger())
  project.provide('seaworthy', { dataDirectory, port: endpoint.port, adminPassword: admin.password })
  return async () => {
    await server.stop()
    rmSync(dataDirectory, { recursive: true, force: true })
  }
}
