import type { Host } from './host.ts'
import { endLast, type Finished, type Journal, type Outcome, type StepName, updateState, withStep } from './state.ts'

/** Written before each step, so that whoever comes after a command that was killed knows how far it came. */
export interface OpenJournal {
  step<T>(name: StepName, text: string, work: () => Promise<T> | T): Promise<T>
  end(outcome: Outcome, why?: string): Finished
}

export function openJournal(host: Host, about: Pick<Journal, 'kind' | 'target' | 'from'>): OpenJournal {
  const { layout, tell, by } = host
  let journal: Journal = { ...about, by, startedAt: new Date().toISOString(), steps: [] }
  return {
    step: async (name, text, work) => {
      journal = withStep(journal, name, new Date())
      updateState(layout, (state) => ({ ...state, current: journal }))
      tell(name, text)
      return await work()
    },
    end: (outcome, why) => {
      const last = finish(journal, outcome, why)
      updateState(layout, ({ current: _, ...state }) => ({ ...state, last }))
      return last
    },
  }
}

export const finish = (journal: Journal, outcome: Outcome, why?: string): Finished => ({
  ...journal,
  steps: endLast(journal.steps, new Date()),
  outcome,
  endedAt: new Date().toISOString(),
  ...(why ? { why } : {}),
})
