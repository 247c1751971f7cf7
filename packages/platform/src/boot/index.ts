/** Puts the parts together: engines, capabilities, processes; starts them, keeps them running, stops them in reverse. */
export { type Capabilities, openCapabilities, type Telemetry } from './capabilities.ts'
export { createCloser } from './closer.ts'
export { prepareDatabase } from './prepare-database.ts'
export { prettyLine } from './pretty.ts'
export { type Summary, type Supervisor, startSupervisor } from './supervisor.ts'
export { type Build, defineSystem, type Place, type System } from './system.ts'
export { openWebService, runWebProcess } from './web-process.ts'
export { openJobRunner, runWorkerProcess } from './worker-process.ts'
