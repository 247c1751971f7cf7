/** What is kept about a person: given out whole, removed for good, also from a database that is put back later. */
export { type ErasureParts, erasePerson, reapplyErasures } from './erase.ts'
export { type ExportParts, exportedTables, exportPerson, findPerson, notExported, type Person } from './export.ts'
export { countKept, type Kept } from './kept.ts'
export { type Erasure, type ErasureRegister, hasErasures, openErasureRegister, parseErasures } from './register.ts'
