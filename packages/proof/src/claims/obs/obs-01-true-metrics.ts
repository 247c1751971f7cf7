import { randomUUID } from 'node:crypto'
import { atLeast, defineClaim, exactly } from '../../claim.ts'
import type { Person } from '../../rig/person.ts'
import { jpegPhoto, startRun, untilIdle, uploadPhoto } from '../../rig/photo.ts'
import { runProgram } from '../../rig/run-program.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const EFFECTS = 3
const documented = ['0.1', '0.5', '1']

/** A known number of requests of each kind, and where they must be counted. */
const loads: readonly (readonly [
  times: number,
  series: string,
  ask: (person: Person, url: string) => Promise<Response>,
])[] = [
  [60, 'GET /api/cosnap/credits 200', (person) => person.fetch('/api/cosnap/credits')],
  [37, 'GET /api/cosnap/photos 401', (_, url) => fetch(`${url}/api/cosnap/photos`)],
  [23, 'GET /api/cosnap/photos/{id} 404', (person) => person.fetch(`/api/cosnap/photos/${randomUUID()}`)],
  [19, 'GET /api/cosnap/runs 400', (person) => person.fetch('/api/cosnap/runs?nonsense=1')],
  [17, 'GET page 200', (_, url) => fetch(`${url}/somewhere/${randomUUID()}`, { headers: { accept: 'text/html' } })],
  [13, 'GET asset 404', (_, url) => fetch(`${url}/assets/${randomUUID()}.js`)],
  [11, 'POST /api/identity/sign-in 400', (_, url) => fetch(`${url}/api/identity/sign-in`, broken)],
]
const broken: RequestInit = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{]' }

export const claim = defineClaim({
  id: 'OBS-01',
  says: 'The metrics of two web processes and a worker add up to exactly what was asked and made, in the form that Prometheus expects',
  answers: ['O1', 'O2', 'O3'],
  witness: 'promtool',
  needs: ['promtool'],
  tier: 'full',
  seconds: 8,
  limits: {
    'requests counted wrong': exactly(0, 'requests'),
    'effects counted wrong': exactly(0, 'effects'),
    'findings of promtool': exactly(0, 'findings'),
    'bounds of the targets that are buckets': atLeast(documented.length, 'buckets'),
  },
  experiment: async (rig) => {
    const stack = await rig.start({ environment: { WEB_PROCESSES: '2' } })
    const person = await stack.newcomer()
    const answered: { series: string; times: number }[] = []
    for (const [times, series, ask] of loads) {
      const one = async (): Promise<string> => {
        const answer = await ask(person, stack.url)
        await answer.arrayBuffer()
        return String(answer.status)
      }
      const statuses = await Promise.all(Array.from({ length: times }, one))
      // A machine that is busy refuses some at once, which are counted elsewhere.
      answered.push({ series, times: statuses.filter((status) => series.endsWith(` ${status}`)).length })
    }
    const photo = await uploadPhoto(person, await jpegPhoto(64, 48))
    for (let i = 0; i < EFFECTS; i++) await (await startRun(person, photo)).arrayBuffer()
    await untilIdle(person)
    const read = async (): Promise<string> => (await fetch(`${stack.adminUrl}/metrics`)).text()
    // The worker counts after the commit that people see.
    const text = await until('the effects are counted', async () => {
      const now = await read()
      return sumOf(now, /^jobs_finished_total\{[^}]*outcome="done"[^}]*\} (\d+)$/gm) >= EFFECTS && now
    }).catch(read)
    const counted = answered.map(({ series, times }) => ({ series, times, counted: countOf(text, series) }))
    const checked = await runProgram(rig.program('promtool'), ['check', 'metrics'], { input: text })
    const findings = `${checked.stdout}${checked.stderr}`.split('\n').filter(Boolean)
    return {
      measured: {
        'requests counted wrong': counted.reduce((sum, one) => sum + Math.abs(one.times - one.counted), 0),
        'effects counted wrong': Math.abs(
          EFFECTS - sumOf(text, /^jobs_finished_total\{[^}]*outcome="done"[^}]*\} (\d+)$/gm),
        ),
        'findings of promtool': checked.code === 0 ? 0 : Math.max(1, findings.length),
        'bounds of the targets that are buckets': documented.filter((bound) => text.includes(`{le="${bound}",`)).length,
      },
      met: {
        'two web processes served': (await stack.pids('web')).length === 2,
        'each kind of request was answered': answered.every(({ times }) => times > 0),
        'there were metrics to check': text.length > 5_000,
      },
      evidence: [...counted.map((one) => JSON.stringify(one)), ...findings.slice(0, 10)],
    }
  },
  sabotages: [
    patch(
      'a refusal is counted twice',
      'packages/platform/src/http/reply.ts',
      'exchange.parts.observe({ method, route:',
      'if (status >= 400) exchange.parts.observe({ method, route: exchange.served.template, status_code: String(status) }, 0)\n  exchange.parts.observe({ method, route:',
    ),
    patch(
      'pages are not counted',
      'packages/platform/src/http/routes/web-pages.ts',
      "countAnswer(request, reply, 'page', observe)",
      '',
    ),
    patch(
      'only the first process is asked',
      'packages/platform/src/boot/supervisor.ts',
      'snapshots: () => snapshots(children.all)',
      'snapshots: () => snapshots(children.all.slice(0, 1))',
    ),
    patch(
      'gauges are called like counters',
      'packages/platform/src/telemetry/metrics.ts',
      'of misnamed) registry.removeSingleMetric(name)',
      'of misnamed) registry.getSingleMetric(name)',
    ),
  ],
})

function countOf(text: string, series: string): number {
  const [method = '', route = '', status = ''] = series.split(' ')
  return text
    .split('\n')
    .filter((line) => line.startsWith('http_request_duration_seconds_count{'))
    .filter((line) =>
      [`method="${method}"`, `route="${route}"`, `status_code="${status}"`].every((label) => line.includes(label)),
    )
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

const sumOf = (text: string, pattern: RegExp): number =>
  [...text.matchAll(pattern)].reduce((sum, match) => sum + Number(match[1]), 0)
