import { route } from '@seaworthy/platform/definition'
import { z } from 'zod'
import { rates } from '../rates.ts'
import { effectIds, effects } from './catalogue.ts'

const EffectInfo = z.object({
  id: z.string(),
  name: z.string(),
  line: z.string(),
  group: z.string(),
  cost: z.number().int(),
  strength: z.number().int(),
})

export const listEffects = route({
  name: 'cosnap.effects.list',
  method: 'GET',
  path: '/effects',
  summary: 'The effects there are, and what each costs',
  auth: 'public',
  limit: rates.reads,
  transaction: 'none',
  reply: { 200: z.object({ effects: z.array(EffectInfo) }) },
  handle: async () => ({ status: 200, body: { effects: effectIds.map((id) => ({ id, ...effects[id] })) } }),
})
