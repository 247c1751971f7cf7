import { credits } from '@seaworthy/core'
import { defineApp } from '@seaworthy/platform/definition'
import { grantCredits } from '@seaworthy/platform/payments'
import { getCredits } from './credits/get-credits.route.ts'
import { listEffects } from './effects/list-effects.route.ts'
import { previewEffects } from './effects/preview-effects.route.ts'
import { deletePhoto } from './photos/delete-photo.route.ts'
import { getPhoto, listPhotos } from './photos/list-photos.route.ts'
import { photos } from './photos/photos.table.ts'
import { uploadPhoto } from './photos/upload-photo.route.ts'
import { applyEffectJob } from './runs/apply-effect.job.ts'
import { cancelRun, deleteRun } from './runs/cancel-run.route.ts'
import { getRun, listRuns } from './runs/list-runs.route.ts'
import { runs } from './runs/runs.table.ts'
import { startRun } from './runs/start-run.route.ts'

const WELCOME = credits(20)

/** Photo effects with credits. */
export const cosnap = defineApp({
  name: 'cosnap',
  title: 'Cosnap: photo effects with credits',
  routes: [
    uploadPhoto,
    listPhotos,
    getPhoto,
    deletePhoto,
    previewEffects,
    listEffects,
    startRun,
    listRuns,
    getRun,
    cancelRun,
    deleteRun,
    getCredits,
  ],
  jobs: [applyEffectJob],
  tables: [photos, runs],
  migrations: new URL('../migrations/', import.meta.url),
  // Once for each person: further accounts of theirs begin empty.
  onAccountCreated: async (tx, { id, personal }) => {
    if (personal) await grantCredits(tx, id, WELCOME, 'cosnap.welcome')
  },
})
