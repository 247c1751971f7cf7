import { readConfig } from '@seaworthy/platform/config'
import { type Database, loginOf, openDatabase } from '@seaworthy/platform/data'
import { type ListedMail, listMail, type ReadMail, readMail } from '@seaworthy/platform/mail'
import { findEndpoint } from './database.ts'
import { findPlace } from './place.ts'

const SHOWN_MAX = 100

/** `seaworthy mail list`: the newest first. */
export async function printMailList(): Promise<void> {
  const mails = await onDatabase((database) => database.withDuty('operations', (tx) => listMail(tx, SHOWN_MAX)))
  for (const mail of mails.reverse()) process.stdout.write(`${lineOf(mail)}\n`)
  if (mails.length === 0) process.stdout.write('There is no mail.\n')
}

/** `seaworthy mail show ID`: what it says, while it is kept. */
export async function printMail(id: string): Promise<void> {
  const mail = await onDatabase((database) => database.withDuty('operations', (tx) => readMail(tx, id))).catch(() => {
    throw new Error(`There is no mail ${id}.\n    HINT: npx seaworthy mail list`)
  })
  process.stdout.write(`${textOf(mail)}\n`)
}

const lineOf = ({ id, createdAt, state, to, subject }: ListedMail): string =>
  [id, createdAt.toISOString(), state.padEnd(7), to, subject].join('  ')

function textOf(mail: ReadMail): string {
  const head = [`To: ${mail.to}`, `Subject: ${mail.subject}`, `Written: ${mail.createdAt.toISOString()}, ${mail.state}`]
  if (mail.problem) head.push(`Problem: ${mail.problem}, after ${mail.tries} tries`)
  const { body } = mail
  if (!body) return [...head, '', 'What it said is not kept any more.'].join('\n')
  const action = body.action ? [`${body.action.label}:\n${body.action.url}`] : []
  return [head.join('\n'), ...body.paragraphs, ...action].join('\n\n')
}

async function onDatabase<T>(work: (database: Database) => Promise<T>): Promise<T> {
  const config = readConfig(findPlace().directory)
  const endpoint = findEndpoint(config)
  const database = openDatabase({
    endpoint,
    login: loginOf('app', config.secrets.databaseRoleSecret, endpoint),
    name: 'cli',
    limits: {
      max: 1,
      waitMs: config.databaseWaitMs,
      statementMs: config.databaseQueryMs,
      transactionMs: config.databaseTransactionMs,
    },
  })
  try {
    return await work(database)
  } finally {
    await database.close()
  }
}
