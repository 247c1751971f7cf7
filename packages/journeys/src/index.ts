/** What people do with the apps, as code: the steps of a journey, walked through HTTP only. */
import { cosnap } from './cosnap.ts'
import type { Journey } from './journey.ts'

export type { Credentials, Journey, JourneyReport } from './journey.ts'
export { openVisitor, type Visitor } from './visitor.ts'

/** By the name of the app. */
export const journeys: Readonly<Record<string, Journey>> = { cosnap }
