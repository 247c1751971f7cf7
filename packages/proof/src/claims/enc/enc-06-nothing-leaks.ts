import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { atLeast, defineClaim, exactly } from '../../claim.ts'
import { type Canaries, findCanaries, makeCanaries } from '../../rig/canaries.ts'
import { runCommand } from '../../rig/command.ts'
import type { DatabaseClient } from '../../rig/database.ts'
import { jsonBody, type Person } from '../../rig/person.ts'
import { plantElsewhere, plantInRoutes } from '../../rig/plant.ts'
import { descendantsOf } from '../../rig/process-tree.ts'
import type { Rig } from '../../rig/rig.ts'
import type { Stack } from '../../rig/stack.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const secretSettings = [
  'JWT_ACCESS_SECRET',
  'JWT_REFRESH_SECRET',
  'MEDIA_URL_SECRET',
  'DATABASE_ROLE_SECRET',
  'AUDIT_SECRET',
]

export const claim = defineClaim({
  id: 'ENC-06',
  says: 'Secrets and personal values that people and operators give, in whatever form, are in no log, metric, error answer, list of processes and export of the audit, also when parts fail and crash',
  answers: ['E7', 'E9', 'ASVS 14.2.1', 'ASVS 16.2.5', 'ASVS 16.5.1', 'ASVS 13.3.1', 'ASVS 15.3.1'],
  witness: 'a search in everything that the service writes',
  tier: 'full',
  seconds: 40,
  limits: {
    'values planted': atLeast(500, 'values'),
    'values in the log of the service': exactly(0, 'values'),
    'values in the log of the database': exactly(0, 'values'),
    'values in metrics, health and error answers': exactly(0, 'values'),
    'values in the list of processes': exactly(0, 'values'),
    'values in the exported audit': exactly(0, 'values'),
    'whole addresses in the log': exactly(0, 'addresses'),
    'debuggers that listen': exactly(0, 'debuggers'),
  },
  experiment: async (rig) => {
    const canaries = makeCanaries(() => rig.random())
    const secrets = Object.fromEntries(secretSettings.map((name) => [name, canaries.secret()]))
    const stack = await rig.start({ environment: { ...secrets, LOG_LEVEL: 'debug', TRUSTED_PROXIES: '1' } })
    const [person, operator] = [await stack.newcomer(), await stack.operator()]
    await fetch(`${stack.url}/api/cosnap/effects`, { headers: { 'x-forwarded-for': '198.51.100.77' } })
    await plantElsewhere(stack, person, canaries)
    const failures = [
      ...(await plantInRoutes(stack, person, canaries)),
      ...(await failAndCrash(stack, person, canaries)),
    ]
    const sinks = await collect(rig, stack, await stack.signIn(operator))
    const foundIn = (text: string): string[] => findCanaries(text, canaries.all)
    const found = {
      service: foundIn(sinks.output),
      database: foundIn(sinks.databaseLog),
      shown: foundIn([...sinks.shown, ...failures].join('\n')),
      processes: foundIn(sinks.processes),
      audit: foundIn(sinks.audit),
    }
    return {
      measured: {
        'values planted': canaries.all.length,
        'values in the log of the service': found.service.length,
        'values in the log of the database': found.database.length,
        'values in metrics, health and error answers': found.shown.length,
        'values in the list of processes': found.processes.length,
        'values in the exported audit': found.audit.length,
        'whole addresses in the log': sinks.output.includes('198.51.100.77') ? 1 : 0,
        'debuggers that listen': /Debugger listening/.test(sinks.output) ? 1 : 0,
      },
      met: {
        'requests failed inside':
          failures.length > 10 && stack.log().some(({ message }) => message === 'request failed'),
        'the database complained of taken addresses': /duplicate key value/.test(sinks.databaseLog),
        'a process was killed and started again': stack
          .log()
          .some(({ message }) => message.startsWith('a process ended')),
        'the database logged a slow statement': /duration: [\d.]+ ms .*insert into seaworthy\.users/.test(
          sinks.databaseLog,
        ),
        'the audit was exported': sinks.audit.split('\n').length > 20,
        'somebody with a known address asked': sinks.output.includes('198.51.'),
      },
      evidence: Object.entries(found).flatMap(([sink, values]) =>
        values.slice(0, 4).map((value) => `${sink}: ${context(sinks, value)}`),
      ),
    }
  },
  sabotages: [
    patch(
      'the log line of a request shows the address that was asked for',
      'packages/platform/src/http/reply.ts',
      '"message":"request","method":"${method}","route":"${exchange.served.template}",',
      '"message":"request","method":"${method}","route":"${exchange.incoming.url}",',
    ),
    patch(
      'the database logs the values of slow statements',
      'packages/platform/src/data/embedded/server.ts',
      "log_parameter_max_length: 0,\n    log_parameter_max_length_on_error: 0,\n    log_error_verbosity: 'terse',",
      'log_parameter_max_length: -1,',
    ),
    patch(
      'words of errors are logged as they are',
      'packages/platform/src/telemetry/redact.ts',
      'message: redactText(error.message),',
      'message: error.message,',
    ),
    patch(
      'audit lines show the whole path',
      'packages/platform/src/http/exchange.ts',
      "safePath(this.served.template, url ?? '')",
      "url ?? ''",
    ),
    patch(
      'addresses are not masked',
      'packages/platform/src/http/reply.ts',
      'maskAddress(exchange.address)',
      'exchange.address',
    ),
  ],
})

/** Tables that are away, a database that is killed, a process that is: each with requests that carry planted values. */
async function failAndCrash(stack: Stack, person: Person, canaries: Canaries): Promise<string[]> {
  const admin = await stack.database('admin')
  await admin.query('alter table cosnap.photos rename to away; alter table cosnap.runs rename to gone')
  const failures = await plantInRoutes(stack, person, canaries)
  const own = await person.fetch(`/api/cosnap/photos?cursor=`, { headers: { cookie: canaries.word() } })
  if (own.status >= 500) failures.push(await own.text())
  for (let i = 0; i < 12; i++) {
    const asked = await person.fetch('/api/cosnap/photos?limit=5', { headers: { cookie: `a=${canaries.token()}` } })
    if (asked.status >= 500) failures.push(await asked.text())
  }
  await dawdle(stack, admin, canaries)
  failures.push(await failWithWords(stack, admin, canaries))
  await admin.query('alter table cosnap.away rename to photos; alter table cosnap.gone rename to runs')
  await stack.signal('web', 'SIGUSR1')
  await stack.signal('database', 'SIGKILL')
  failures.push(...(await plantInRoutes(stack, person, canaries)))
  await stack.ready()
  await stack.signal('web', 'SIGABRT')
  await until('the process has ended', () => stack.log().some(({ message }) => message.startsWith('a process ended')))
  await stack.ready()
  return failures
}

/** A function of the database that complains with the values in its words, which only the service gets to see. */
async function failWithWords(stack: Stack, admin: DatabaseClient, canaries: Canaries): Promise<string> {
  await admin.query(`alter system set log_min_messages = 'fatal'`)
  await admin.query(`select pg_reload_conf();
    create function public.complain() returns trigger language plpgsql as
      $$ begin raise exception 'not %, who has password=%', new.email, '${canaries.word()}'; end $$;
    create trigger complain before insert on seaworthy.users for each row execute function public.complain()`)
  const body = { email: canaries.email(), password: canaries.password() }
  const answer = await fetch(`${stack.url}/api/identity/sign-up`, jsonBody(body))
  await admin.query('drop trigger complain on seaworthy.users; drop function public.complain()')
  await admin.query('alter system reset log_min_messages')
  await admin.query('select pg_reload_conf()')
  return answer.text()
}

/** A statement that takes so long to run that the database logs it, with an address among its values. */
async function dawdle(stack: Stack, admin: DatabaseClient, canaries: Canaries): Promise<void> {
  await admin.query(`
    create function public.dawdle() returns trigger language plpgsql as
      $$ begin perform pg_sleep(0.8); return new; end $$;
    create trigger dawdle before insert on seaworthy.users for each row execute function public.dawdle()`)
  const body = { email: canaries.email(), password: canaries.password() }
  await (await fetch(`${stack.url}/api/identity/sign-up`, jsonBody(body))).arrayBuffer()
  await admin.query('drop trigger dawdle on seaworthy.users; drop function public.dawdle()')
}

async function collect(rig: Rig, stack: Stack, operator: Person) {
  const [supervisor = 0] = await stack.pids('supervisor')
  const shown = await Promise.all(
    [`${stack.adminUrl}/metrics`, `${stack.adminUrl}/health`, `${stack.url}/health`].map(async (url) =>
      (await fetch(url)).text(),
    ),
  )
  for (const path of ['/health/detailed', '/api/operations/security-events?limit=50'])
    shown.push(await (await operator.fetch(path)).text())
  const logs = readdirSync(stack.dataDirectory).filter((name) => name.includes('.log'))
  return {
    shown,
    output: stack.output(),
    databaseLog: logs.map((name) => readFileSync(join(stack.dataDirectory, name), 'utf8')).join('\n'),
    processes: [supervisor, ...descendantsOf(supervisor)].map(commandOf).join('\n'),
    audit: (await runCommand(rig, stack, 'audit', 'export')).stdout,
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}

/** Where a value stands, for whoever has to mend it. */
function context(sinks: Readonly<Record<string, string | readonly string[]>>, value: string): string {
  const text =
    Object.values(sinks)
      .flat()
      .find((candidate) => candidate.includes(value)) ?? ''
  const at = text.indexOf(value)
  return text.slice(Math.max(0, at - 120), at + 60).replaceAll('\n', ' ')
}
