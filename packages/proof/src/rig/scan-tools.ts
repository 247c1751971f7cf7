import { createRequire } from 'node:module'
import { parse } from 'yaml'
import type { Rig } from './rig.ts'
import { type ProgramRun, runProgram } from './run-program.ts'

/** What judges of GitHub's file format say about one workflow, in one line each. */
export interface WorkflowJudges {
  actionlint(text: string, path: string): readonly string[]
  schema(text: string): readonly string[]
}

/** Two words that GitHub has known for longer than these judges: they see the file without the one and with an older other. */
const asKnown = (text: string): string =>
  text.replace(/^ +attestations: (?:read|write)\n/gm, '').replaceAll('ubuntu-24.04', 'ubuntu-22.04')

interface Linter {
  createLinter(): Promise<(text: string, path: string) => readonly { line: number; message: string }[]>
}
interface Validator {
  validateWorkflow(text: string): { errors: readonly { title?: string; detail?: string }[] }
}

/** actionlint, and the schema of action-validator: two programs that know the format independently. */
export async function openWorkflowJudges(rig: Rig): Promise<WorkflowJudges> {
  const linter = createRequire(import.meta.url)(rig.program('actionlint')) as Linter
  const lint = await linter.createLinter()
  const { validateWorkflow } = createRequire(import.meta.url)(rig.program('action-validator')) as Validator
  return {
    actionlint: (text, path) => lint(asKnown(text), path).map(({ line, message }) => `${path}:${line} ${message}`),
    schema: (text) =>
      validateWorkflow(asKnown(text)).errors.map(({ title, detail }) => `${title ?? ''} ${detail ?? ''}`.trim()),
  }
}

interface WorkflowStep {
  readonly uses?: string
  readonly run?: string
}
interface WorkflowJob {
  readonly steps?: readonly WorkflowStep[]
  readonly permissions?: Readonly<Record<string, string>>
}
export interface Workflow {
  readonly permissions?: Readonly<Record<string, string>>
  readonly jobs: Readonly<Record<string, WorkflowJob>>
}

export const readWorkflow = (text: string): Workflow => parse(text) as Workflow

/** A command in a directory, as a workflow's step runs it. */
export const runIn = (directory: string, command: string, ...args: readonly string[]): Promise<ProgramRun> =>
  runProgram('sh', ['-c', 'cd "$1" && shift && exec "$@"', 'sh', directory, command, ...args], { timeoutMs: 120_000 })
