import { atMost, defineClaim, exactly } from '../../claim.ts'
import { applyMix } from '../../rig/mix.ts'
import { quantile } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const PER_SECOND = 100
const SECONDS = 10

export const claim = defineClaim({
  id: 'CAP-01',
  says: 'A hundred requests a second of people who look around are answered within half a second, 95 of 100 within 100 ms',
  answers: ['S2 (performance, response time)', 'Z12'],
  witness: 'open-loop load, latency counted from when a request was meant to begin',
  tier: 'full',
  seconds: 16,
  alone: true,
  limits: {
    '95th percentile': atMost(100, 'ms'),
    '99th percentile': atMost(250, 'ms'),
    'requests without a good answer': exactly(0, 'requests'),
  },
  experiment: async (rig) => {
    const { samples, statuses } = await applyMix(await rig.start(), PER_SECOND, SECONDS)
    const times = samples.map((sample) => sample.ms)
    return {
      measured: {
        '95th percentile': quantile(times, 0.95),
        '99th percentile': quantile(times, 0.99),
        'requests without a good answer': samples.filter((sample) => !sample.ok).length,
      },
      met: { 'all requests were sent': samples.length === PER_SECOND * SECONDS },
      run: { samples, marks: [] },
      evidence: [`statuses ${JSON.stringify(statuses)}`, `median ${quantile(times, 0.5).toFixed(1)} ms`],
    }
  },
  sabotages: [
    patch(
      'each request holds the event loop for a while',
      'packages/platform/src/http/serve.ts',
      '    const answer = await served.around(',
      '    for (const end = performance.now() + 15; performance.now() < end; );\n    const answer = await served.around(',
    ),
  ],
})
