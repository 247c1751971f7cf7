import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { DAY } from '@seaworthy/core'
import { readLines, recordEvent } from '@seaworthy/platform/audit'
import { type Capabilities, openCapabilities } from '@seaworthy/platform/boot'
import { readConfig } from '@seaworthy/platform/config'
import { endSignInsOf } from '@seaworthy/platform/identity'
import { erasePerson, exportPerson, findPerson, openErasureRegister, type Person } from '@seaworthy/platform/privacy'
import { createHealth, createLogger, createMetrics, createPseudonyms } from '@seaworthy/platform/telemetry'
import type { Command } from 'commander'
import { toText } from './audit.ts'
import { connectionOf } from './database.ts'
import { findPlace, loadSystem } from './place.ts'
import { withOwner } from './with-owner.ts'

export function addPersonCommands(program: Command): void {
  const person = program.command('person').description('what is kept about a person: give it out, or remove it')
  person
    .command('export')
    .argument('<email>')
    .description('everything about this person, as a ZIP archive')
    .option('--out <file>', 'where to write it', 'person.zip')
    .action(exportTo)
  person
    .command('erase')
    .argument('<email>')
    .description('remove this person and everything of theirs, for good; the ledger stays, without the person')
    .requiredOption('--confirm <email>', 'the address once more')
    .action(erase)
  person
    .command('pseudonym')
    .argument('<email>')
    .description('how this person and their accounts are called in the log')
    .option('--day <date>', 'the day of the lines, such as 2026-01-31; default: today')
    .action(showPseudonyms)
  person
    .command('events')
    .argument('<email>')
    .description('what this person did within a week, and from where, as the audit has it')
    .action(showEvents)
  person
    .command('end-sign-ins')
    .argument('<email>')
    .description('end every sign-in of this person, on every device')
    .action(endSignIns)
}

const EVENTS_SHOWN = 30

async function showEvents(email: string): Promise<void> {
  await withPerson(email, async ({ userId }) => {
    const filter = { userId, from: new Date(Date.now() - 7 * DAY) }
    const lines = await withOwner((tx) => readLines(tx, filter, EVENTS_SHOWN))
    process.stdout.write(lines.length ? lines.map(toText).join('') : 'Nothing within a week.\n')
  })
}

/** Each process refuses their tokens within a second, and the audit says that an operator did it. */
async function endSignIns(email: string): Promise<void> {
  await withPerson(email, async ({ userId }, { database }) => {
    const ended = await database.withDuty('identity', (tx) => endSignInsOf(tx, userId))
    await database.withDuty('operations', (tx) =>
      recordEvent(tx, {
        action: 'sign_ins_ended',
        outcome: 'done',
        userId,
        resource: userId,
        details: { count: ended.length, by: 'operator at the machine' },
      }),
    )
    process.stdout.write(`${ended.length} sign-ins were ended.\n`)
  })
}

async function exportTo(email: string, { out }: { readonly out: string }): Promise<void> {
  await withPerson(email, async (person, { database, media, vault }) => {
    const tables = (await loadSystem(findPlace())).apps.flatMap((app) => app.tables)
    const chunks = exportPerson({ database, store: media.store, vault, tables }, person)
    await pipeline(Readable.from(chunks), createWriteStream(out, { flags: 'wx', mode: 0o600 }))
    process.stdout.write(`${out} holds everything that is kept about this person.\n`)
  })
}

async function erase(email: string, { confirm }: { readonly confirm: string }): Promise<void> {
  if (confirm !== email) throw new Error('The two addresses differ: nothing was removed.')
  await withPerson(email, async ({ userId }, { config, database, media }) => {
    await erasePerson({ database, files: media, register: openErasureRegister(config.dataDirectory) }, userId)
    process.stdout.write(
      `Removed. ${config.dataDirectory}/privacy keeps the ids, so that an older database forgets them too.\n`,
    )
  })
}

async function showPseudonyms(email: string, { day }: { readonly day?: string }): Promise<void> {
  const at = day === undefined ? Date.now() : Date.parse(day)
  if (Number.isNaN(at)) throw new Error(`${day} is no date.\n    HINT: --day 2026-01-31`)
  await withPerson(email, async ({ userId, accountIds }, { config }) => {
    const pseudonym = createPseudonyms(config.secrets.auditSecret)
    const date = new Date(Math.floor(at / DAY) * DAY).toISOString().slice(0, 10)
    for (const id of [userId, ...accountIds]) process.stdout.write(`${date}  ${id}  ${pseudonym(id, at)}\n`)
  })
}

async function withPerson(email: string, work: (person: Person, parts: Capabilities) => Promise<void>): Promise<void> {
  const config = readConfig(findPlace().directory)
  const telemetry = {
    log: createLogger({ level: 'error', process: 'command' }),
    metrics: createMetrics(),
    health: createHealth(),
  }
  const capabilities = await openCapabilities(config, connectionOf(config, 'app').endpoint, 'command', telemetry)
  try {
    const person = await findPerson(capabilities.database, { email })
    if (!person) throw new Error('There is nobody with this address.')
    await work(person, capabilities)
  } finally {
    await capabilities.database.close()
  }
}
