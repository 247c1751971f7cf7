import type { Secret } from '@seaworthy/core'
import type { Config } from '../config/index.ts'
import { openRegion } from './drivers/cockatiel.ts'
import { geminiDriver } from './drivers/gemini.ts'
import { openAiDriver } from './drivers/openai-compatible.ts'
import { v0Driver } from './drivers/v0.ts'
import type { Engine, EngineDriver } from './engine.ts'
import type { EngineUse, OutsideName } from './task.ts'

type EngineName = OutsideName | 'own'

/** The settings that engines are made of. */
export type EngineConfig = Pick<
  Config,
  | 'asiKey'
  | 'asiUrls'
  | 'asiModel'
  | 'asiPrice'
  | 'openaiKey'
  | 'openaiUrls'
  | 'openaiModel'
  | 'openaiPrice'
  | 'geminiKey'
  | 'geminiUrls'
  | 'geminiModel'
  | 'geminiPrice'
  | 'v0Key'
  | 'v0Urls'
  | 'v0Model'
  | 'v0Price'
  | 'ownModelUrl'
  | 'ownModel'
  | 'ownModelKey'
>

/** The setting that sets each engine up. */
export const settingOf: Readonly<Record<EngineName, string>> = {
  asi: 'ASI_API_KEY',
  openai: 'OPENAI_API_KEY',
  gemini: 'GOOGLE_API_KEY',
  v0: 'V0_API_KEY',
  own: 'OWN_MODEL_URL',
}

/** The engines that are set up here, by name. */
export function openEngines(config: EngineConfig): ReadonlyMap<string, Engine> {
  const engines: (Engine | undefined)[] = [
    keyed('asi', config.asiKey, config.asiUrls, config.asiModel, config.asiPrice, openAiDriver('asi')),
    keyed(
      'openai',
      config.openaiKey,
      config.openaiUrls,
      config.openaiModel,
      config.openaiPrice,
      openAiDriver('openai'),
    ),
    keyed('gemini', config.geminiKey, config.geminiUrls, config.geminiModel, config.geminiPrice, geminiDriver()),
    keyed('v0', config.v0Key, config.v0Urls, config.v0Model, config.v0Price, v0Driver()),
    ownEngine(config),
  ]
  return new Map(engines.flatMap((engine) => (engine ? [[engine.name, engine] as const] : [])))
}

function keyed(
  name: OutsideName,
  key: Secret | undefined,
  urls: readonly string[],
  model: string,
  price: Engine['price'],
  driver: EngineDriver,
): Engine | undefined {
  return key && { name, model, key, price, driver, regions: urls.map((url) => openRegion(url)) }
}

function ownEngine({ ownModelUrl: url, ownModel: model, ownModelKey: key }: EngineConfig): Engine | undefined {
  if (!url) return undefined
  const price = { asked: 0, answered: 0 }
  return { name: 'own', model, key, price, driver: openAiDriver('own'), regions: [openRegion(url)] }
}

/** The engine that a task names, with the model that it wants; undefined where it is not set up. */
export function engineFor(engines: ReadonlyMap<string, Engine>, use: EngineUse): Engine | undefined {
  if (use.kind === 'local') return undefined
  const engine = engines.get(use.kind === 'own' ? 'own' : use.engine)
  return engine && use.model ? { ...engine, model: use.model } : engine
}
