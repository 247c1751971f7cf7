import type { Engine, Question } from './engine.ts'
import { engineFor, settingOf } from './engines.ts'
import { baseKeyOf, jsonSchemaOf } from './question-key.ts'
import { isPlainText } from './structured.ts'
import type { AiAsk, AiTask, EngineUse } from './task.ts'

export interface Candidate {
  readonly use: EngineUse
  /** Undefined for a function of this process, and for what is not set up. */
  readonly engine: Engine | undefined
}

/** A task with what can be worked out once. */
export interface PreparedTask {
  /** As it runs: what it takes is parsed by its own schema. */
  readonly task: AiTask
  /** Of the app: the first part of its name. */
  readonly app: string
  /** Those that can answer here, in order. */
  readonly candidates: readonly Candidate[]
  /** Settings that would set up the others. */
  readonly missing: readonly string[]
  /** The engine whose answers are the ones that are wanted. */
  readonly best: string
  readonly base: string
  readonly schema: Readonly<Record<string, unknown>> | undefined
}

export function prepareTask(task: AiTask, engines: ReadonlyMap<string, Engine>): PreparedTask {
  const all = task.engines.map((use) => ({ use, engine: engineFor(engines, use) }))
  const candidates = all.filter(({ use, engine }) => use.kind === 'local' || engine)
  const missing = all.flatMap(({ use, engine }) =>
    use.kind === 'local' || engine ? [] : [settingOf[use.kind === 'own' ? 'own' : use.engine]],
  )
  const [first] = candidates
  return {
    task,
    app: task.name.split('.', 1)[0] ?? '',
    candidates,
    missing,
    best: first ? nameOf(first) : '',
    base: baseKeyOf(
      task,
      candidates.map((each) => [nameOf(each), each.engine?.model ?? '']),
    ),
    schema: isPlainText(task.output) ? undefined : jsonSchemaOf(task.output, 'input'),
  }
}

export const LOCAL = 'local'
export const nameOf = ({ engine }: Pick<Candidate, 'engine'>): string => engine?.name ?? LOCAL

export const questionOf = ({ task, schema }: PreparedTask, { text, images = [] }: AiAsk): Question => ({
  instructions: task.instructions,
  text,
  images,
  schema,
  temperature: task.temperature ?? 0,
  answerTokensMax: task.budget.answerTokensMax,
})
