import { setImmediate } from 'node:timers/promises'
import { route } from '@seaworthy/platform/definition'
import { z } from 'zod'
import { db } from '../database.ts'
import { rates } from '../rates.ts'
import { effectIds, effects } from './catalogue.ts'
import { previewPixels } from './preview-source.ts'
import { applyEffect, encodePreview } from './studio.ts'

const query = z.strictObject({
  /** One effect; all of them when left out. */
  effect: z.enum(effectIds).optional(),
  strength: z.coerce.number().int().min(0).max(100).optional(),
})

const ALL_PIXELS = 220
const ONE_PIXELS = 520

/** Small pictures of what effects would do to this photo, free of charge, as data addresses. */
export const previewEffects = route({
  name: 'cosnap.photos.preview',
  method: 'GET',
  path: '/photos/{id}/previews',
  summary: 'What effects would do to this photo, small and free',
  auth: 'viewer',
  limit: rates.previews,
  params: z.strictObject({ id: z.uuid() }),
  query,
  transaction: 'none',
  reply: { 200: z.object({ previews: z.array(z.object({ effect: z.string(), image: z.string() })) }) },
  handle: async ({ caller, params, query: asked, read, media, signal }) => {
    const { hash } = await read((tx) =>
      tx.one(db.selectFrom('cosnap.photos').select('hash').where('id', '=', params.id)),
    )
    const wanted = asked.effect ? [asked.effect] : effectIds
    const pixels = await previewPixels(media, caller, hash, asked.effect ? ONE_PIXELS : ALL_PIXELS)
    const previews: { effect: string; image: string }[] = []
    for (const effect of wanted) {
      const made = await applyEffect(effect, pixels, asked.strength ?? effects[effect].strength)
      previews.push({ effect, image: `data:image/webp;base64,${(await encodePreview(made)).toString('base64')}` })
      // Other requests get their turn between two effects.
      await setImmediate()
      signal.throwIfAborted()
    }
    return { status: 200, body: { previews } }
  },
})
