/** A system as plain values: what every target is rendered from. */
export { container, containerLogs, hardening, healthCheck, scratch, stopGraceSeconds } from './container.ts'
export { type Description, describe } from './description.ts'
export { type Answerer, type Caller, callers, type Edge, edgesOf } from './edges.ts'
export { type Place, places, type Role, roles } from './places.ts'
export { redisAccess } from './redis.ts'
export { type Size, type Sizes, sumOf } from './sizes.ts'
export { fromSecret, hostOf, secretsOf, valuesOf } from './values.ts'
