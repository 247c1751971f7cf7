/** The lists before, during and after a deployment: commands judge them, or people with a name and for a time. */
export { checklists, type Gone, goThrough, type ItemReport, sign } from './go-through.ts'
export { type Execute, type Phase, phases } from './item.ts'
