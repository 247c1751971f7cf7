import { openOutgoing } from '../../connections/index.ts'
import type { EngineDriver } from '../engine.ts'
import { driverOf } from './language-model.ts'

/** Google's own protocol. The key goes in a header, never in the address. */
export const geminiDriver = (): EngineDriver =>
  driverOf(async ({ url, key, model }) => {
    const { createGoogleGenerativeAI } = await import('@ai-sdk/google')
    const fetch = openOutgoing({ bases: [url] })
    return createGoogleGenerativeAI({ baseURL: url, apiKey: key?.reveal() ?? '', fetch }).languageModel(model)
  })
