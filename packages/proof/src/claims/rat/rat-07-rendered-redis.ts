import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineClaim, exactly } from '../../claim.ts'
import { bareEnvironment } from '../../rig/environment.ts'
import { keepProcess } from '../../rig/kept-process.ts'
import { jsonBody } from '../../rig/person.ts'
import { freePort } from '../../rig/ports.ts'
import { sendRaw } from '../../rig/raw.ts'
import { renderTo } from '../../rig/rendered-nginx.ts'
import type { Rig } from '../../rig/rig.ts'
import { runProgram } from '../../rig/run-program.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const PASSWORD = 'of-this-experiment-only'
const TRIES = 3
const MORE = 4
/** What whoever has taken the service's password would try next. */
const attempts = [
  'GET seaworthy:secrets',
  'SET seaworthy:rate:x 1',
  'HSET another:key used 0',
  'KEYS *',
  'SCAN 0',
  'FLUSHALL',
  'CONFIG GET *',
  'ACL LIST',
  'DEBUG SLEEP 0',
  'SCRIPT FLUSH',
  'MONITOR',
  'REPLICAOF 127.0.0.1 1',
  'SUBSCRIBE everything',
  `EVAL "return redis.call('flushall')" 0`,
]

export const claim = defineClaim({
  id: 'RAT-07',
  says: 'The rendered Redis lets the service count its limits, and lets neither its password nor a stranger do anything else',
  answers: ['X6', 'H8', 'ASVS 13.2.2'],
  witness: 'redis-server, its own protocol',
  needs: ['redis-server'],
  tier: 'full',
  seconds: 12,
  limits: {
    'tries let through beyond the limit': exactly(0, 'tries'),
    'warnings of the service about its store': exactly(0, 'lines'),
    'commands that the password of the service may use besides': exactly(0, 'commands'),
    'commands that a stranger may use': exactly(0, 'commands'),
  },
  experiment: async (rig) => {
    const port = await startRendered(rig)
    const url = `redis://seaworthy:${PASSWORD}@127.0.0.1:${port}`
    const stack = await rig.start({ environment: { REDIS_URL: url, AUTH_RATE_LIMIT_MAX: String(TRIES) } })
    const statuses: number[] = []
    for (let i = 0; i < TRIES + MORE; i++) {
      const guess = jsonBody({ email: `nobody-${i}@example.com`, password: 'not the password' })
      statuses.push((await fetch(`${stack.url}/api/identity/sign-in`, guess)).status)
    }
    const allowed: string[] = []
    for (const command of attempts) if (!isRefused(await say(port, command, true))) allowed.push(command)
    const strange: string[] = []
    for (const command of ['PING', ...attempts]) if (!isRefused(await say(port, command, false))) strange.push(command)
    const keys = Number(/keys=(\d+)/.exec(await say(port, 'INFO keyspace', true))?.[1] ?? 0)
    const warnings = stack.log().filter(({ level, message }) => level !== 'info' && /store|redis|limit/i.test(message))
    return {
      measured: {
        'tries let through beyond the limit': Math.max(0, statuses.filter((status) => status !== 429).length - TRIES),
        'warnings of the service about its store': warnings.length + (keys > 0 ? 0 : 1),
        'commands that the password of the service may use besides': allowed.length,
        'commands that a stranger may use': strange.length,
      },
      met: { 'the service refused somebody': statuses.includes(429) },
      evidence: [
        `answers ${statuses.join(' ')}; ${keys} keys`,
        ...warnings.map(({ message }) => message),
        ...allowed,
        ...strange,
      ],
    }
  },
  sabotages: [
    patch(
      'the service may do anything',
      'packages/ops/src/description/redis.ts',
      'resetchannels -@all +evalsha',
      'resetchannels +@all +evalsha',
    ),
    patch('the service lacks a command of its scripts', 'packages/ops/src/description/redis.ts', ' +hmget', ''),
    patch(
      'whoever has no name is let in',
      'packages/ops/src/description/redis.ts',
      'user default off',
      'user default on nopass ~* &* +@all',
    ),
  ],
})

/** As its documents say, with a port and a folder of this experiment. */
async function startRendered(rig: Rig): Promise<number> {
  const folder = join(await renderTo(rig, 'redis'), 'redis')
  const port = await freePort()
  const users = await runProgram('/bin/sh', [join(folder, 'acl.sh')], { input: `${PASSWORD}\n` })
  const [acl, file] = [join(rig.scratch, 'redis.acl'), join(rig.scratch, 'redis.conf')]
  writeFileSync(acl, users.stdout, { mode: 0o600 })
  const text = readFileSync(join(folder, 'host.conf'), 'utf8')
  writeFileSync(
    file,
    text
      .replace(/^port .*$/m, `port ${port}`)
      .replace(/^aclfile .*$/m, `aclfile ${acl}`)
      .replace(/^bind .*$/m, 'bind 127.0.0.1'),
  )
  const server = keepProcess(rig.program('redis-server'), [file], { env: bareEnvironment(), cwd: rig.scratch })
  rig.defer(async () => {
    await server.signal('SIGKILL')
    await server.exited
  })
  await until('Redis answers', async () => {
    if (server.exit()) throw new Error(`Redis ended: ${server.output()}`)
    return (await say(port, 'PING', false)).length > 0
  })
  return port
}

/** The answer to one command, with the service's name and password or without. */
async function say(port: number, command: string, asService: boolean): Promise<string> {
  const { text } = await sendRaw(port, `${asService ? `AUTH seaworthy ${PASSWORD}\r\n` : ''}${command}\r\n`, 150)
  return asService ? text.replace(/^\+OK\r\n/, '') : text
}

const isRefused = (answer: string): boolean =>
  /^-(NOPERM|NOAUTH)|can't run this command|DEBUG command not allowed/.test(answer)
