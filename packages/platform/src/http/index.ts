/** HTTP: the lifecycle of a request, and the routes every installation has. */
export type { HttpParts, HttpSettings } from './exchange.ts'
export { auditApp } from './routes/audit.ts'
export { identityApp } from './routes/identity.ts'
export { operationsApp } from './routes/operations.ts'
export { type PrivacyParts, privacyApp } from './routes/privacy.ts'
export { uploadsApp } from './routes/uploads.ts'
export { createHoldingServer, type ServerSettings, serveHttp } from './server.ts'
