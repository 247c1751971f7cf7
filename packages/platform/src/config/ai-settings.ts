import { SECOND } from '@seaworthy/core'
import { duration, foreignSecret, integer, money, oneOf, price, providerUrl, providerUrls, text } from './setting.ts'

const PRICE = 'What a million tokens cost at it, in dollars: those asked / those answered. Budgets count with it.'

/** Engines of others that AI tasks may ask, where an account agrees to it, and what may be spent. */
export const aiSettings = {
  asiKey: foreignSecret('ASI_API_KEY', '...', {
    group: 'AI',
    text: 'Key of ASI Cloud. With it tasks may ask its models.',
  }),
  asiUrls: providerUrls('ASI_API_URL', {
    group: 'AI',
    default: 'https://inference.asicloud.cudos.org/v1',
    text: 'Where it is; several, comma separated, are regions that stand in for each other in this order.',
  }),
  asiModel: text('ASI_MODEL', { group: 'AI', default: 'asi1-mini', text: 'The model that is asked there.' }),
  asiPrice: price('ASI_PRICE', { group: 'AI', default: '5/15', text: PRICE }),
  openaiKey: foreignSecret('OPENAI_API_KEY', '...', {
    group: 'AI',
    text: 'Key of OpenAI, or of whoever speaks its protocol at OPENAI_API_URL.',
  }),
  openaiUrls: providerUrls('OPENAI_API_URL', {
    group: 'AI',
    default: 'https://api.openai.com/v1',
    text: 'Where it is; several, comma separated, are regions that stand in for each other in this order.',
  }),
  openaiModel: text('OPENAI_MODEL', { group: 'AI', default: 'gpt-4o-mini', text: 'The model that is asked there.' }),
  openaiPrice: price('OPENAI_PRICE', { group: 'AI', default: '5/15', text: PRICE }),
  geminiKey: foreignSecret('GOOGLE_API_KEY', '...', {
    group: 'AI',
    text: 'Key of Google Gemini. With it tasks may ask its models.',
  }),
  geminiUrls: providerUrls('GEMINI_API_URL', {
    group: 'AI',
    default: 'https://generativelanguage.googleapis.com/v1beta',
    text: 'Where it is; several, comma separated, are regions that stand in for each other in this order.',
  }),
  geminiModel: text('GEMINI_MODEL', {
    group: 'AI',
    default: 'gemini-2.5-flash',
    text: 'The model that is asked there.',
  }),
  geminiPrice: price('GEMINI_PRICE', { group: 'AI', default: '5/15', text: PRICE }),
  v0Key: foreignSecret('V0_API_KEY', '...', { group: 'AI', text: 'Key of v0. With it tasks may ask its models.' }),
  v0Urls: providerUrls('V0_API_URL', {
    group: 'AI',
    default: 'https://api.v0.dev/v1',
    text: 'Where it is; several, comma separated, are regions that stand in for each other in this order.',
  }),
  v0Model: text('V0_MODEL', { group: 'AI', default: 'v0-1.5-md', text: 'The model that is asked there.' }),
  v0Price: price('V0_PRICE', { group: 'AI', default: '5/15', text: PRICE }),
  ownModelUrl: providerUrl('OWN_MODEL_URL', 'http://127.0.0.1:11434/v1', {
    group: 'AI',
    text: 'A model server of your own that speaks the protocol of OpenAI, such as Ollama or vLLM: what is asked stays with you, so nobody is asked to agree. Default: none.',
  }),
  ownModel: text('OWN_MODEL', { group: 'AI', default: 'llama3.2', text: 'The model that is asked there.' }),
  ownModelKey: foreignSecret('OWN_MODEL_KEY', '...', { group: 'AI', text: 'Its key, where it wants one.' }),
  aiCache: oneOf('LLM_CACHE_ENABLED', ['true', 'false'], {
    group: 'AI',
    default: 'true',
    text: 'Whether answers are kept, sealed, for the account that asked. Without it every question is asked and paid again.',
  }),
  aiCallMs: duration('AI_TIMEOUT', SECOND, 600 * SECOND, {
    group: 'AI',
    default: '60s',
    text: 'Longest time for one question over all engines and tries, where its task does not say less.',
  }),
  aiAccountMoney: money('AI_BUDGET_ACCOUNT_DAY', {
    group: 'AI',
    default: '1.00',
    text: 'What engines may cost for one account on a day in UTC, in dollars. 0: engines that cost nothing only.',
  }),
  aiAppMoney: money('AI_BUDGET_APP_DAY', {
    group: 'AI',
    default: '20.00',
    text: 'What engines may cost for all accounts of one app on a day in UTC, in dollars.',
  }),
  aiAccountTokens: integer('AI_TOKENS_ACCOUNT_DAY', 0, 1_000_000_000, {
    group: 'AI',
    default: '1000000',
    text: 'Tokens, asked and answered, that engines may use for one account on a day in UTC.',
  }),
} as const
