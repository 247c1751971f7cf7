/** HTTP: the lifecycle of a request, and the routes every installation has. */
export type { HttpParts, HttpSettings } from './exchange.ts'
export { batchApp } from './routes/batch.ts'
export { signUps } from './routes/identity/entry.ts'
export { identityApp } from './routes/identity/identity-app.ts'
export { operationsApp } from './routes/operations.ts'
export { uploadsApp } from './routes/uploads.ts'
export { vaultApp } from './routes/vault.ts'
export { createHoldingServer, type ServerSettings, serveHttp } from './server.ts'
