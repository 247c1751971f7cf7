import { REPLACEMENT, runWebProcess, runWorkerProcess } from '@seaworthy/platform/boot'
import { readConfig } from '@seaworthy/platform/config'
import { keepDebuggerClosed } from './debugger.ts'
import { findPlace, loadSystem } from './place.ts'

/** One process of an installation, started by the supervisor: `process.js web`, `process.js worker`. */
const role = process.argv[2]
keepDebuggerClosed()
const place = findPlace()
const config = readConfig(place.directory)
const system = await loadSystem(place)
if (role === 'web') await runWebProcess(system, config, place, process.argv[3] === REPLACEMENT)
else if (role === 'worker') await runWorkerProcess(system, config)
else if (role === 'backup') await (await import('./recovery.ts')).runScheduledBackup()
else if (role === 'drill') await (await import('./drill.ts')).runScheduledDrill()
else throw new Error(`there is no process ${role}`)
