import { randomBytes } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConfigFile, type GeneralConfig, readConfigFile } from '../src/general/config.ts'
import { openClient } from '../src/rig/database.ts'
import type { WreckMistake } from './mistakes/index.ts'

/** An app of this folder with a database and a role of its own, ready to be started by a configuration. */
export interface OpenWreck {
  readonly file: ConfigFile
  close(): Promise<void>
}

const modules = join(import.meta.dirname, '..', '..', '..', 'node_modules')

/** @param serverUrl Of a PostgreSQL where databases and roles can be made. */
export async function openWreck(
  serverUrl: string,
  mends: readonly WreckMistake[] = [],
  { app = 'app', config = 'wreck.config.js' } = {},
): Promise<OpenWreck> {
  const directory = mkdtempSync(join(tmpdir(), 'wreck-'))
  cpSync(join(import.meta.dirname, app), join(directory, app), { recursive: true })
  symlinkSync(modules, join(directory, 'node_modules'))
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }')
  for (const mend of mends) applyMend(join(directory, app), mend)
  const database = await makeDatabase(serverUrl, readFileSync(join(directory, app, 'schema.sql'), 'utf8'))
  const { config: plain } = await readConfigFile({ file: join(import.meta.dirname, config) })
  return {
    file: { config: withDatabase(plain, database), directory },
    close: async () => {
      await database.drop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** Throws when the text is not there exactly once: a mend that changes nothing mends nothing. */
function applyMend(folder: string, { file, find, mend, says }: WreckMistake): void {
  const path = join(folder, file)
  const text = readFileSync(path, 'utf8')
  const found = text.split(find).length - 1
  if (found !== 1) throw new Error(`the mend of "${says}" looks for a text that is ${found} times in ${file}: ${find}`)
  writeFileSync(
    path,
    text.replace(find, () => mend),
  )
}

interface MadeDatabase {
  readonly adminUrl: string
  readonly roleUrl: string
  drop(): Promise<void>
}

async function makeDatabase(serverUrl: string, schema: string): Promise<MadeDatabase> {
  const name = `wreck_${randomBytes(6).toString('hex')}`
  const password = randomBytes(12).toString('hex')
  const maker = await openClient(serverUrl)
  await maker.query(`create database ${name} template template0`)
  const urlOf = (change: (url: URL) => void): string => {
    const url = new URL(serverUrl)
    url.pathname = `/${name}`
    change(url)
    return url.href
  }
  const adminUrl = urlOf(() => undefined)
  const admin = await openClient(adminUrl)
  await admin.query(schema.replaceAll(':role', name).replaceAll(":'password'", `'${password}'`))
  await admin.end()
  return {
    adminUrl,
    roleUrl: urlOf((url) => Object.assign(url, { username: name, password })),
    drop: async () => {
      await maker.query(`drop database ${name} with (force)`)
      await maker.query(`drop role ${name}`)
      await maker.end()
    },
  }
}

function withDatabase(config: GeneralConfig, { adminUrl, roleUrl }: MadeDatabase): GeneralConfig {
  const start = config.start ?? { command: '' }
  return {
    ...config,
    database: adminUrl,
    databaseRole: roleUrl,
    start: { ...start, environment: { ...start.environment, DATABASE_URL: roleUrl } },
  }
}
