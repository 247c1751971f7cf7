/** From one PostgreSQL to another while it is written to: copied, followed, compared, changed over, and back. */
export { type Arrival, readArrival } from './arrival.ts'
export { type Check, checkGraduation } from './checks.ts'
export { closeFeed } from './feed.ts'
export { type Graduated, type GraduateParts, graduate } from './graduate.ts'
export { untilHeld } from './pause.ts'
export { nameOf, type Side, withSession } from './session.ts'
export { forgetGraduation, isUnderWay, readGraduation, readWritePause, writeGraduation } from './state.ts'
