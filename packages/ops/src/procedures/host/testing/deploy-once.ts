import { deploy } from '../deploy.ts'
import { openDetachedRunner } from '../drivers/detached.ts'
import { commandOn } from '../host.ts'
import { layoutOf } from '../layout.ts'

/** `deploy-once.ts ROOT SOURCE STEP`: a deploy that is killed when it writes down that this step begins. */
const [root = '', source = '', killAt = ''] = process.argv.slice(2)
const layout = layoutOf(root)
await deploy(
  {
    layout,
    runner: openDetachedRunner(layout),
    by: 'test',
    tell: (step) => {
      if (step === killAt) process.kill(process.pid, 'SIGKILL')
    },
    command: commandOn(layout),
  },
  {
    source,
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
  },
)
