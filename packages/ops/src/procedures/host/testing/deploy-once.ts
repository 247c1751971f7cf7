import { existsSync } from 'node:fs'
import { deploy } from '../deploy.ts'
import { layoutOf } from '../layout.ts'
import { checkoutSource, imageSource } from '../source.ts'
import { openTestHost } from './open-host.ts'

/** `deploy-once.ts ROOT SOURCE STEP`: a deploy of a checkout or an image that is killed when it writes down that this step begins. */
const [root = '', source = '', killAt = ''] = process.argv.slice(2)
const layout = layoutOf(root)
const host = openTestHost(layout, (step) => {
  if (step === killAt) process.kill(process.pid, 'SIGKILL')
})
await deploy(host, {
  source: existsSync(source)
    ? checkoutSource(layout, source)
    : await imageSource(host.containers, source, () => undefined),
  readyMs: 20_000,
  bakeMs: 200,
  canary: { share: 0.1, forMs: 200 },
  memoryBytesMax: 1024 ** 3,
  keep: 2,
  keepWarm: false,
  smoke: true,
  proxyUrl: undefined,
  notify: async () => undefined,
  signal: new AbortController().signal,
})
