import { openOutgoing } from '../../connections/index.ts'
import type { EngineDriver } from '../engine.ts'
import { driverOf } from './language-model.ts'

/** v0 of Vercel. */
export const v0Driver = (): EngineDriver =>
  driverOf(async ({ url, key, model }) => {
    const { createVercel } = await import('@ai-sdk/vercel')
    const fetch = openOutgoing({ bases: [url] })
    return createVercel({ baseURL: url, apiKey: key?.reveal() ?? '', fetch }).languageModel(model)
  })
