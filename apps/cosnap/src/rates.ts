import { MINUTE } from '@seaworthy/core'
import { rate } from '@seaworthy/platform/definition'

const WINDOW = 15 * MINUTE

/** Cosnap's own numbers, by account. Previews are ours: they are free, and the slider asks for many. */
export const rates = {
  general: rate('cosnap.general', 100, WINDOW, { setting: 'rateMax' }),
  upload: rate('cosnap.upload', 20, WINDOW, { setting: 'rateUploadMax' }),
  effects: rate('cosnap.effects', 50, WINDOW, { setting: 'rateEffectsMax' }),
  previews: rate('cosnap.previews', 600, WINDOW),
}
