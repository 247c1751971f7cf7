/** Puts the parts together: engines, capabilities, processes; starts them, keeps them running, stops them in reverse. */
export { prepareDatabase } from './prepare-database.ts'
export { prettyLine } from './pretty.ts'
export { startSupervisor, type Summary, type Supervisor } from './supervisor.ts'
export { type Build, defineSystem, type Place, type System } from './system.ts'
export { runWebProcess } from './web-process.ts'
export { runWorkerProcess } from './worker-process.ts'
