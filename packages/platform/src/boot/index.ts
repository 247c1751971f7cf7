/** Puts the parts together: engines, capabilities, processes; starts them, keeps them running, stops them in reverse. */
export type { Capabilities, Telemetry } from './capabilities.ts'
export { REPLACEMENT } from './child-link.ts'
export { createCloser } from './closer.ts'
export { abandonGraduation, type Graduation, openGraduation, reopenOld, type Target } from './graduation.ts'
export { lockDataDirectory } from './lock.ts'
export { type MigrateOutcome, migrateOnce } from './migrate-once.ts'
export { prepareDatabase } from './prepare-database.ts'
export { prettyLine } from './pretty.ts'
export { type Summary, type Supervisor, startSupervisor } from './supervisor.ts'
export { type Build, defineSystem, type Place, type System } from './system.ts'

// Each kind of process loads what it runs and nothing of the others: the supervisor stays small.
export const runWebProcess: typeof import('./web-process.ts').runWebProcess = async (...args) =>
  (await import('./web-process.ts')).runWebProcess(...args)
export const openWebService: typeof import('./web-process.ts').openWebService = async (...args) =>
  (await import('./web-process.ts')).openWebService(...args)
export const runWorkerProcess: typeof import('./worker-process.ts').runWorkerProcess = async (...args) =>
  (await import('./worker-process.ts')).runWorkerProcess(...args)
export const openJobRunner: typeof import('./worker-process.ts').openJobRunner = async (...args) =>
  (await import('./worker-process.ts')).openJobRunner(...args)
export const openCapabilities: typeof import('./capabilities.ts').openCapabilities = async (...args) =>
  (await import('./capabilities.ts')).openCapabilities(...args)
export const openSyntheticPerson: typeof import('./synthetic-person.ts').openSyntheticPerson = async (...args) =>
  (await import('./synthetic-person.ts')).openSyntheticPerson(...args)
