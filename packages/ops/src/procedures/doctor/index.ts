/** Looks at one installation: what is well, what is not, and what to do next. Changes nothing. */
export { type CheckName, checks } from './checks/index.ts'
export { type Examined, examine, lookAt } from './examine.ts'
export { type Finding, isFault, type Verdict } from './finding.ts'
export type { CommandRun, Installation } from './installation.ts'
