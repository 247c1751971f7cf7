/** A system as plain values: what every target is rendered from. */
export { container, healthCheck } from './container.ts'
export { type Description, describe, type UploadRoute } from './description.ts'
export { type Answerer, answerers, type Caller, callers, type Edge, edgesOf } from './edges.ts'
export { type Place, places, type Role, roles } from './places.ts'
export { type Size, type Sizes, scaling } from './sizes.ts'
export { type DeployedSetting, fromSecret, hostOf, secretsOf, type Value, valuesOf } from './values.ts'
