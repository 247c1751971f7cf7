/** The `seaworthy` program. */
export { start } from './start.ts'
