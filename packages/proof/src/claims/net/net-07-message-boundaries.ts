import { defineClaim, exactly } from '../../claim.ts'
import { startNginx } from '../../rig/nginx.ts'
import { type RawAnswer, sendRaw } from '../../rig/raw.ts'
import { type Shape, smugglingShapes } from '../../rig/smuggling.ts'
import { patch } from '../../sabotage.ts'

const QUIET_MS = 600
const AT_A_TIME = 8

export const claim = defineClaim({
  id: 'NET-07',
  says: 'No request hidden inside or behind another one is ever answered, directly and behind nginx',
  answers: ['H9', 'ASVS 4.2.1', 'ASVS 4.2.2'],
  witness: 'raw sockets, nginx',
  needs: ['nginx'],
  tier: 'full',
  seconds: 8,
  limits: {
    'second answers, directly': exactly(0, 'answers'),
    'second answers, through nginx': exactly(0, 'answers'),
    'broken requests that were carried out': exactly(0, 'requests'),
  },
  experiment: async (rig) => {
    const stack = await rig.start()
    const nginx = await startNginx(rig, stack.port)
    const direct = await sendAll(stack.port)
    const behind = await sendAll(nginx.port)
    const plain = await sendRaw(nginx.port, 'GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    const [second, secondBehind] = [direct.filter(isSecond), behind.filter(isSecond)]
    const done = direct.filter(({ name, answer }) => ambiguous.test(name) && (answer.statuses[0] ?? 400) < 400)
    return {
      measured: {
        'second answers, directly': second.length,
        'second answers, through nginx': secondBehind.length,
        'broken requests that were carried out': done.length,
      },
      met: {
        'most shapes were answered': direct.filter(({ answer }) => answer.statuses.length > 0).length > 25,
        'nginx passed requests on': nginx.accessLog().some((line) => /^4\d\d /.test(line)) && plain.statuses[0] === 200,
      },
      evidence: [
        `${smugglingShapes.length} shapes each way`,
        ...[...second, ...secondBehind, ...done].map(({ name, answer }) => `${name}: ${answer.statuses.join(' + ')}`),
      ],
    }
  },
  sabotages: [
    patch(
      'the parser takes what is not valid',
      'packages/platform/src/http/server.ts',
      'requireHostHeader: false,',
      'requireHostHeader: false, insecureHTTPParser: true,',
    ),
    patch(
      'a request with two hosts is taken',
      'packages/platform/src/http/server.ts',
      'if (hosts !== 1) return',
      'if (hosts > 9) return',
    ),
  ],
})

interface Sent extends Shape {
  readonly answer: RawAnswer
}

/** Requests that no careful program takes for one thing only: none of them may be carried out. */
const ambiguous = /hosts|no host|two |list of|before the colon|in hex|plus|minus|beyond/

async function sendAll(port: number): Promise<Sent[]> {
  const sent: Sent[] = []
  for (let at = 0; at < smugglingShapes.length; at += AT_A_TIME)
    sent.push(
      ...(await Promise.all(
        smugglingShapes
          .slice(at, at + AT_A_TIME)
          .map(async (shape) => ({ ...shape, answer: await sendRaw(port, shape.bytes, QUIET_MS) })),
      )),
    )
  return sent
}

/** An interim `100 Continue` is no answer. */
const isSecond = ({ answer }: Sent): boolean => answer.statuses.filter((status) => status >= 200).length > 1
