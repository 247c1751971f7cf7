import { atLeast, atMost, defineClaim } from '../../claim.ts'
import { judgeWithLighthouse, type Visit } from '../../rig/lighthouse.ts'
import { visitOnSlowPhone } from '../../rig/slow-phone.ts'
import { quantile } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const VISITS = 5
const outside = ['/', '/sign-in', '/sign-up']
const inside = [
  '/cosnap',
  '/cosnap/gallery',
  '/cosnap/credits',
  '/operations',
  '/operations/recovery',
  '/members',
  '/settings/security',
  '/settings/keys',
  '/settings/activity',
  '/settings/privacy',
]

export const claim = defineClaim({
  id: 'WEB-01',
  says: 'The pages that a stranger sees are there at once on a slow phone with a slow connection, and every page stands still and answers at once',
  answers: ['T1', 'V3'],
  witness: 'Lighthouse, Chromium tracing',
  needs: ['chromium', 'lighthouse'],
  tier: 'soak',
  seconds: 125,
  alone: true,
  limits: {
    'lowest performance score of a page': atLeast(95, 'points'),
    'slowest largest paint, slow phone and connection': atMost(1_800, 'ms'),
    'slowest largest paint, slow processor': atMost(1_000, 'ms'),
    'longest blocking of a page': atMost(150, 'ms'),
    'most shifting of a page': atMost(0.02, 'CLS'),
    'slowest answer to a press, slow processor': atMost(200, 'ms'),
  },
  experiment: async (rig) => {
    const stack = await rig.start()
    const visits = await judgeWithLighthouse(rig, { url: stack.url, paths: outside, times: VISITS })
    const pages = [...new Set(visits.map((visit) => visit.path))].map((path) => mediansOf(path, visits))
    const { loads, presses, slower } = await visitOnSlowPhone(rig, stack, { outside, inside })
    const ofStrangers = loads.filter((load) => outside.includes(load.path))
    const slowest = presses.toSorted((a, b) => b.ms - a.ms)
    return {
      measured: {
        'lowest performance score of a page': Math.min(...pages.map((page) => page.score)),
        'slowest largest paint, slow phone and connection': Math.max(...pages.map((page) => page.lcpMs)),
        'slowest largest paint, slow processor': Math.max(...ofStrangers.map((load) => load.lcpMs)),
        'longest blocking of a page': Math.max(...pages.map((page) => page.tbtMs)),
        'most shifting of a page': Math.max(...pages.map((page) => page.cls), ...loads.map((load) => load.shifts)),
        'slowest answer to a press, slow processor': slowest[0]?.ms ?? Number.NaN,
      },
      met: {
        'each page was judged five times': visits.length === VISITS * outside.length && pages.length === outside.length,
        'the processor was slower': slower > 3,
        'keys, buttons and links were pressed': presses.length >= 60,
      },
      evidence: [
        ...pages.map(describe),
        ...loads.map(
          ({ path, lcpMs, shifts }) =>
            `${path}, slow processor: largest paint ${lcpMs.toFixed(0)} ms, shifting ${shifts.toFixed(4)}`,
        ),
        `slowest of ${presses.length}: ${slowest.slice(0, 3).map(({ type, ms }) => `${type} ${ms} ms`)}`,
      ],
    }
  },
  sabotages: [
    patch(
      'the start page waits for a script of two megabytes',
      'web/dist/pages/index.html',
      '</title>',
      `</title><script>const unused=[${Array.from({ length: 290_000 }, (_, i) => (i * 7_919) % 1_000_003)}]</script>`,
    ),
    patch(
      'pages are not made ahead',
      'packages/platform/src/http/routes/web-pages.ts',
      "pages.get(url.startsWith('/?') ? '/' : url) ?? pages.get(url.replace(/[^/]+$/, '_')) ?? shell",
      'pages.get(`none ${url}`) ?? shell',
    ),
    patch(
      'a button computes before it answers',
      'web/dist/assets/index-*.js',
      'document.documentElement.dataset.theme=',
      'for(const end=performance.now()+250;performance.now()<end;);document.documentElement.dataset.theme=',
    ),
  ],
})

function mediansOf(path: string, all: readonly Visit[]): Visit & { readonly spread: string } {
  const visits = all.filter((visit) => visit.path === path)
  const median = (pick: (visit: Visit) => number): number => quantile(visits.map(pick), 0.5)
  const paints = visits.map((visit) => Math.round(visit.lcpMs))
  return {
    path,
    score: median((visit) => visit.score),
    lcpMs: median((visit) => visit.lcpMs),
    tbtMs: median((visit) => visit.tbtMs),
    cls: median((visit) => visit.cls),
    spread: `${Math.min(...paints)} to ${Math.max(...paints)}`,
  }
}

const describe = ({ path, score, lcpMs, tbtMs, cls, spread }: ReturnType<typeof mediansOf>): string =>
  `${path.slice(0, 24)}: ${score.toFixed(0)} points, largest paint ${lcpMs.toFixed(0)} (${spread}) ms, blocked ${tbtMs.toFixed(0)} ms, ${cls.toFixed(4)}`
