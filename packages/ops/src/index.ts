/** From the definition of a system to the files that run it, and how it is deployed. */
export { type Description, describe } from './description/index.ts'
export * from './procedures/host/index.ts'
export { keepEdits, type RenderedFile, renderFiles, writeFiles } from './render/index.ts'
export { type Artefact, type Target, targets } from './targets/index.ts'
