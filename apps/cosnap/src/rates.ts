import { MINUTE } from '@seaworthy/core'
import { rate } from '@seaworthy/platform/definition'

const WINDOW = 15 * MINUTE

/**
 * Cosnap's own numbers, by account. Reading one's own photos and previews are classes of ours: a page asks several times,
 * and a person who looks around must not be locked out of what they may do.
 */
export const rates = {
  general: rate('cosnap.general', 100, WINDOW, { setting: 'rateMax' }),
  upload: rate('cosnap.upload', 20, WINDOW, { setting: 'rateUploadMax' }),
  effects: rate('cosnap.effects', 50, WINDOW, { setting: 'rateEffectsMax' }),
  reads: rate('cosnap.reads', 1_000, WINDOW),
  previews: rate('cosnap.previews', 600, WINDOW),
}
