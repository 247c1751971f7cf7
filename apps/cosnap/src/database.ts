import { queries } from '@seaworthy/platform/definition'
import { photos } from './photos/photos.table.ts'
import { runs } from './runs/runs.table.ts'

/** Builds queries over Cosnap's tables; a transaction runs them. */
export const db = queries({ photos, runs })
