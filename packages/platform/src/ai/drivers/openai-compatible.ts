import { openOutgoing } from '../../connections/index.ts'
import type { EngineDriver } from '../engine.ts'
import { driverOf } from './language-model.ts'

/** The protocol that OpenAI began and ASI Cloud, Ollama, vLLM and others speak. */
export const openAiDriver = (name: string): EngineDriver =>
  driverOf(async ({ url, key, model }) => {
    const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible')
    const settings = { name, baseURL: url, includeUsage: true, supportsStructuredOutputs: true }
    const fetch = openOutgoing({ bases: [url] })
    return createOpenAICompatible({ ...settings, fetch, ...(key ? { apiKey: key.reveal() } : {}) }).chatModel(model)
  })
