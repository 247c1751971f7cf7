/** Rendered files and the checkout: what differs, what was changed by hand, what is written. */
export { keepEdits, type RenderedFile, renderFiles, writeFiles } from './render.ts'
