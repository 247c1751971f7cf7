/**
 * AI engines: tasks that apps declare are answered by a function of their own, a model server nearby, or somebody else's
 * model, where the account agrees. Answers are kept for the account that asked, budgets are set aside before, and what an
 * engine says is a value of the task's schema or nothing.
 */
export { openEngines, settingOf } from './engines.ts'
export { type Ai, type AiAnswer, type AskedBy, type Gateway, type GatewayParts, openGateway } from './gateway.ts'
export { type AiStatus, readAiStatus, type TaskStatus } from './status.ts'
export { AI_USAGE_KEPT_MS, aiSchedule } from './sweep.ts'
export {
  type AiAsk,
  type AiImage,
  type AiTask,
  aiTask,
  type CacheRule,
  type EngineUse,
  local,
  type OutsideName,
  outside,
  own,
} from './task.ts'
