import { atLeast, defineClaim, exactly } from '../../claim.ts'
import { startEngine } from '../../rig/engine.ts'
import { jsonBody } from '../../rig/person.ts'
import { askTitle, startTitling, TITLE_CONSENT } from '../../rig/titling-app.ts'
import { patch } from '../../sabotage.ts'

const tasks = ['plain', 'shorter', 'once', 'agreed', 'daily', 'both'] as const

export const claim = defineClaim({
  id: 'AIG-09',
  says: 'An AI engine of somebody else sees the instructions of a task and what the task says that it asks, and nothing else of the account; and where a task needs the consent of the account it sees nothing before that was given, nor after it was taken back',
  answers: ['G14', 'G12', 'ASVS 14.2.3'],
  witness: 'an engine that speaks the protocol of OpenAI and keeps what it is told',
  tier: 'full',
  seconds: 30,
  limits: {
    'calls without consent': exactly(0, 'calls'),
    'calls with consent that were not made': exactly(0, 'calls'),
    'marked data that the engine saw': exactly(0, 'places'),
    'questions that the engine saw': atLeast(tasks.length, 'questions'),
  },
  experiment: async (rig) => {
    const engine = await startEngine(rig)
    const stack = await startTitling(rig, [engine])
    const person = await stack.newcomer()
    const about = async (text: string): Promise<number> => {
      await askTitle(person, text, 'agreed')
      return engine.calls.filter((call) => call.text.includes(text)).length
    }
    const before = await about('before the consent')
    await person.fetch(`/api/privacy/consents/${TITLE_CONSENT}`, { ...jsonBody({ version: 1 }), method: 'PUT' })
    for (const task of tasks) await askTitle(person, `a question of ${task}`, task)
    const during = await about('with the consent')
    await person.fetch(`/api/privacy/consents/${TITLE_CONSENT}`, { method: 'DELETE' })
    const after = await about('after it was taken back')
    const marked = ['a field that nobody sends', person.email, person.accountId, person.userId, person.token]
    const seen = engine.calls.map(({ text }) => text)
    return {
      measured: {
        'calls without consent': before + after,
        'calls with consent that were not made': during === 1 ? 0 : 1,
        'marked data that the engine saw': marked.filter((mark) => seen.some((text) => text.includes(mark))).length,
        'questions that the engine saw': seen.filter((text) => text.includes('a question of')).length,
      },
      met: { 'the engine was told the instructions': seen.every((text) => text.includes('Give the note a title.')) },
      evidence: seen.slice(0, 2),
    }
  },
  sabotages: [
    patch(
      'the whole input is sent',
      'packages/platform/src/ai/choose.ts',
      'question: questionOf(prepared, ask),',
      'question: questionOf(prepared, { ...ask, text: JSON.stringify(run.input) }),',
    ),
    patch(
      'nobody is asked to agree',
      'packages/platform/src/ai/choose.ts',
      '!refused.has(use.consent)',
      'refused.size >= 0',
    ),
  ],
})
