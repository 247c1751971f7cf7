/** Help for tests: a database of one's own, a service, people, photos, a clock, and waiting for conditions. */
export { type ClamdScript, type FakeClamd, openFakeClamd } from './clamd.ts'
export { turnableClock } from './clock.ts'
export { openTestDatabase, type TestDatabase } from './database.ts'
export { type Installation, isAlive, openInstallation, statusOf } from './installation.ts'
export { drawPhoto, jpegPhoto } from './photos.ts'
export { openReplicatedDatabase, type ReplicatedDatabase, type TestStandby } from './replicated.ts'
export { type Newcomer, openTestService, signUp, type TestService } from './service.ts'
export { until } from './wait.ts'
