import { appendFileSync, existsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { atLeast, atMost, defineClaim, exactly } from '../../claim.ts'
import { jsonBody } from '../../rig/person.ts'
import { jpegPhoto } from '../../rig/photo.ts'
import { sendRaw } from '../../rig/raw.ts'
import type { Stack } from '../../rig/stack.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const MiB = 1_048_576
const planted = 'planted-by-somebody'
/** What would begin a line of its own, end a string, or colour a terminal. */
const hostile = [
  `\n{"level":"error","message":"${planted}"}`,
  `\r\n{"level":"error","message":"${planted}"}\r\n`,
  `"},{"level":"error","message":"${planted}"`,
  `\\n{\\"level\\":\\"error\\",\\"message\\":\\"${planted}\\"}`,
  `\u2028{"level":"error","message":"${planted}"}`,
  `\u0085{"level":"error","message":"${planted}"}`,
  `\x1b[31m${planted}\x1b[0m`,
  `%0a{"level":"error","message":"${planted}"}`,
  '\0NUL',
]

export const claim = defineClaim({
  id: 'ENC-08',
  says: 'Whatever people send and whatever a crashing part prints, every line of the log is one JSON object, nobody plants a line, and the log file of the database keeps a bound',
  answers: ['E10', 'ASVS 16.4.1'],
  witness: 'JSON.parse, the size of the file',
  tier: 'full',
  seconds: 25,
  limits: {
    'lines that are no JSON': exactly(0, 'lines'),
    'lines that were planted': exactly(0, 'lines'),
    'lines looked at': atLeast(100, 'lines'),
    'log file of the database after a start': atMost(11, 'MiB'),
    'old files of it that were kept': exactly(1, 'files'),
  },
  experiment: async (rig) => {
    const NODE_OPTIONS = `--require ${writeTalker(rig.scratch)}`
    const stack = await rig.start({ environment: { LOG_LEVEL: 'debug', NODE_OPTIONS } })
    await sendHostile(stack)
    await stack.signal('database', 'SIGKILL')
    await sendHostile(stack)
    await stack.ready()
    await sendHostile(stack)
    await stack.signal('web', 'SIGABRT')
    const ended = await until('a process has ended', () =>
      stack.log().find(({ message }) => message.startsWith('a process ended')),
    )
    await stack.ready()
    const path = join(stack.dataDirectory, 'database.log')
    appendFileSync(path, 'x'.repeat(12 * MiB))
    const grown = statSync(path).size / MiB
    await stack.signal('supervisor', 'SIGTERM')
    await stack.exited
    await stack.restart()
    const lines = logLines(stack.output())
    const broken = lines.filter((line) => !isJson(line))
    const false_ = stack.log().filter(({ message }) => message.includes(planted))
    return {
      measured: {
        'lines that are no JSON': broken.length,
        'lines that were planted': false_.length,
        'lines looked at': lines.length,
        'log file of the database after a start': statSync(path).size / MiB,
        'old files of it that were kept': existsSync(`${path}.1`) ? 1 : 0,
      },
      met: {
        'a process crashed': ended !== undefined,
        'a part printed lines of its own': stack.output().includes(lastWords),
        'the file had outgrown its bound': grown > 11,
      },
      evidence: broken.slice(0, 6).map((line) => line.slice(0, 200)),
    }
  },
  sabotages: [
    patch(
      'a line is put together from what was sent',
      'packages/platform/src/http/reply.ts',
      '"request":"${exchange.requestId}"',
      '"agent":"${decodeURIComponent(String(exchange.incoming.headers[\'x-note\'] ?? \'\'))}","request":"${exchange.requestId}"',
    ),
    patch(
      'what a part prints is passed on as it is',
      'packages/platform/src/telemetry/logger.ts',
      `line.startsWith('{"level":"') && line.endsWith('}')`,
      'line.length >= 0',
    ),
    patch(
      'the file of the database grows',
      'packages/platform/src/data/embedded/server.ts',
      'statSync(path).size > LOG_BYTES_MAX',
      'statSync(path).size < 0',
    ),
  ],
})

/** What the service prints for people when it starts and stops is no log. */
const forPeople =
  /^\s*(Seaworthy is up|open |operator |makes the first|metrics |web|worker |database |data |Stopping\.|$)/

const logLines = (output: string): string[] =>
  output
    .split('\n')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours
    .map((line) => line.replace(/\x1b\[\d+m/g, ''))
    .filter((line) => !forPeople.test(line))

function isJson(line: string): boolean {
  try {
    return typeof JSON.parse(line) === 'object'
  } catch {
    return false
  }
}

const lastWords = 'a library says what it likes'

/** Something that an operator loads into every process, and that prints in the parts: lines, colours, half of an object. */
function writeTalker(directory: string): string {
  const path = join(directory, 'talker.cjs')
  const text = JSON.stringify(`\x1b[33m${lastWords}\x1b[0m\n    at some (place.js:1)\n{"level":"error"\n`)
  writeFileSync(path, `if (/process\\.js$/.test(process.argv[1])) process.stderr.write(${text})\n`)
  return path
}

async function sendHostile(stack: Stack): Promise<void> {
  const person = await stack.newcomer().catch(() => undefined)
  const photo = await jpegPhoto(64, 48)
  for (const text of hostile) {
    const encoded = encodeURIComponent(text)
    const headers = { 'x-note': encoded, 'user-agent': encoded, 'idempotency-key': encoded.slice(0, 200) }
    const ask = (path: string, init: RequestInit = {}): Promise<unknown> =>
      (person?.fetch ?? fetch)(person ? path : `${stack.url}${path}`, {
        ...init,
        headers: { ...init.headers, ...headers },
      })
        .then((response) => response.arrayBuffer())
        .catch(() => undefined)
    await ask(`/api/cosnap/effects?q=${encoded}`)
    await ask(`/api/cosnap/photos/${encoded}`)
    await ask(`/${encoded}`)
    await ask(`/api/cosnap/photos?name=${encoded}`, { method: 'POST', body: photo })
    await ask('/api/identity/sign-in', jsonBody({ email: `${text}@example.com`, password: text }))
    await sendRaw(
      stack.port,
      `GET /x HTTP/1.1\r\nhost: a\r\nx-request-id: ${text.slice(0, 60)}\r\nuser-agent: ${text}\r\n\r\n`,
      50,
    )
  }
}
