import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { atLeast, defineClaim, exactly } from '../../claim.ts'
import { bareEnvironment } from '../../rig/environment.ts'
import { startTlsProxy } from '../../rig/tls-proxy.ts'
import { patch } from '../../sabotage.ts'

interface Scan {
  readonly score: number
  readonly grade: string
  readonly failed: readonly string[]
  readonly error?: string
}

export const claim = defineClaim({
  id: 'NET-09',
  says: "Mozilla's HTTP Observatory gives the start page its best grade behind nginx with TLS, and no test of it fails",
  answers: ['H9', 'H10', 'ASVS 3.4.1', 'ASVS 12.2.1'],
  witness: '@mdn/mdn-http-observatory, nginx, openssl',
  needs: ['nginx', 'openssl', 'observatory'],
  tier: 'full',
  seconds: 8,
  limits: {
    score: atLeast(125, 'points'),
    'tests that failed': exactly(0, 'tests'),
  },
  experiment: async (rig) => {
    const stack = await rig.start({
      environment: { PUBLIC_URL: 'https://localhost', TRUSTED_PROXIES: '1', NODE_ENV: 'production' },
    })
    const proxy = await startTlsProxy(rig, stack.port)
    const script = join(rig.scratch, 'scan.mjs')
    writeFileSync(script, scanner(rig.program('observatory')))
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [script, 'localhost', String(proxy.httpPort), String(proxy.httpsPort)],
      { env: { ...bareEnvironment(), NODE_EXTRA_CA_CERTS: proxy.certificate } },
    )
    const scan = JSON.parse(stdout) as Scan
    return {
      measured: { score: scan.score, 'tests that failed': scan.failed.length },
      met: { 'the scanner reached the page': scan.error === undefined },
      evidence: [`grade ${scan.grade}`, ...scan.failed],
    }
  },
  sabotages: [
    patch(
      'pages have no content security policy',
      'packages/platform/src/http/routes/web-pages.ts',
      "    'content-security-policy': pagePolicy(html),\n",
      '',
    ),
    patch(
      'browsers are not told to stay with https',
      'packages/platform/src/http/headers.ts',
      "'strict-transport-security': 'max-age=63072000; includeSubDomains; preload',",
      '',
    ),
  ],
})

/** The scanner's own program knows only ports 80 and 443; this asks its parts the same questions on ours. */
const scanner = (program: string): string => `
const from = ${JSON.stringify(`${program}/src/`)}
const { retrieve } = await import(from + 'retriever/retriever.js')
const { ALL_TESTS } = await import(from + 'constants.js')
const { getGradeForScore, getScoreModifier } = await import(from + 'grader/grader.js')
const [host, httpPort, httpsPort] = process.argv.slice(2)
const requests = await retrieve(host, { httpPort: Number(httpPort), httpsPort: Number(httpsPort) })
const failed = []
let withoutBonus = 100
let withBonus = 100
for (const test of requests.responses.auto ? ALL_TESTS : []) {
  const { pass, result } = test(requests)
  const modifier = getScoreModifier(result)
  withBonus += modifier
  if (modifier < 0) withoutBonus += modifier
  if (!pass) failed.push(result)
}
const { grade, score } = getGradeForScore(withoutBonus >= 90 ? withBonus : withoutBonus)
console.log(JSON.stringify({ grade, score, failed, ...(requests.responses.auto ? {} : { error: 'no answer' }) }))
`
