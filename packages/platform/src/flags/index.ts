/** What operators turn while the service runs. */
export { type Flag, flag } from './flag.ts'
export { type Flags, type OpenFlags, openFlags } from './flags.ts'
