import { runWebProcess, runWorkerProcess } from '@seaworthy/platform/boot'
import { readConfig } from '@seaworthy/platform/config'
import { keepDebuggerClosed } from './debugger.ts'
import { findPlace, loadSystem } from './place.ts'

/** One process of an installation: `process.js web` or `process.js worker`, started by the supervisor. */
const role = process.argv[2]
keepDebuggerClosed()
const place = findPlace()
const config = readConfig(place.directory)
const system = await loadSystem(place)
if (role === 'web') await runWebProcess(system, config, place)
else if (role === 'worker') await runWorkerProcess(system, config)
else throw new Error(`there is no process ${role}`)
