import { atLeast, defineClaim, exactly } from '../../claim.ts'
import { applyMix } from '../../rig/mix.ts'
import { patch } from '../../sabotage.ts'

const PER_SECOND = 60
const SECONDS = 6

export const claim = defineClaim({
  id: 'CAP-02',
  says: 'In ordinary use no request fails, and nothing is written to the log as an error',
  answers: ['S2 (error rate, no critical errors in logs)'],
  witness: 'open-loop load, the log that operators read',
  tier: 'full',
  seconds: 11,
  limits: {
    'requests that failed': exactly(0, 'requests'),
    'lines of the log at level error': exactly(0, 'lines'),
    'requests in the log': atLeast(300, 'lines'),
  },
  experiment: async (rig) => {
    const stack = await rig.start()
    const { samples, statuses } = await applyMix(stack, PER_SECOND, SECONDS)
    const log = stack.log()
    const errors = log.filter((line) => line.level === 'error')
    return {
      measured: {
        'requests that failed': samples.filter((sample) => !sample.ok).length,
        'lines of the log at level error': errors.length,
        'requests in the log': log.filter((line) => line.message === 'request').length,
      },
      met: { 'all requests were sent': samples.length === PER_SECOND * SECONDS },
      run: { samples, marks: [] },
      evidence: [`statuses ${JSON.stringify(statuses)}`, ...errors.map((line) => JSON.stringify(line))],
    }
  },
  sabotages: [
    patch(
      'one answer in fifty is a failure',
      'packages/platform/src/http/serve.ts',
      '    const answer = await served.around(',
      "    if (Math.random() < 0.02) throw new Error('out of luck')\n    const answer = await served.around(",
    ),
    patch(
      'what goes well is written as an error',
      'packages/platform/src/http/reply.ts',
      '`{"level":"info","time":',
      '`{"level":"error","time":',
    ),
  ],
})
