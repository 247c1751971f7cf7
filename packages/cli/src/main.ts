import { ConfigError } from '@seaworthy/platform/config'
import { redactText } from '@seaworthy/platform/telemetry'
import { Command } from 'commander'
import { addAuditCommands } from './audit.ts'
import { fromCheckout } from './checkout.ts'
import { addHostCommands } from './host-commands.ts'
import { addKeyCommands } from './key-commands.ts'
import type { MigrateFlags } from './migrate.ts'
import { addOperatorCommands } from './operator-commands.ts'
import { addPersonCommands } from './person.ts'
import { findPlace } from './place.ts'
import type { ProveFlags } from './prove.ts'
import { addRecoveryCommands } from './recovery-commands.ts'
import type { RenderFlags } from './render.ts'
import { start } from './start.ts'

const program = new Command('seaworthy')
  .description('The production layer for AI web apps, on one machine or many')
  .version(findPlace().build.version)
  .showHelpAfterError()

program.command('start').description('run everything on this machine').action(start)
program.command('build').description('build everything again')
program
  .command('dev')
  .description('run everything and take over sources as they are saved')
  .action(async () => {
    const { dev } = await fromCheckout(() => import('./dev.ts'))
    await dev()
  })

program
  .command('health')
  .description('exit code 0 when what runs here is ready, 1 otherwise; for the health checks of containers')
  .action(async () => (await import('./health.ts')).checkHealth())
program
  .command('tls')
  .description('certificates for TLS_CERT_FILE')
  .command('local')
  .description('make or renew a certificate of an authority of this machine only')
  .argument('<names...>', 'host names and addresses, such as localhost 127.0.0.1')
  .action(async (names: string[]) => (await import('./tls.ts')).makeLocalCertificate(names))
program
  .command('migrate')
  .description('prepare the database for this release and end; each migration that was applied is printed')
  .option('--dry-run', 'only list what would be applied')
  .option('--json', 'for programs')
  .option('--no-operator-link', 'make no link for the first operator')
  .action(async (flags: MigrateFlags) => {
    const { migrate } = await import('./migrate.ts')
    await migrate(flags)
  })
program
  .command('database')
  .description('print the address of the database, for psql and its like')
  .option('--as <role>', 'admin, app, worker or reader', 'reader')
  .action(async (options: { as: string }) => {
    const { printDatabaseUrl } = await import('./database.ts')
    printDatabaseUrl(options)
  })
addKeyCommands(program)
const mail = program.command('mail').description('read mail to people that no server delivers')
mail
  .command('list')
  .description('the last hundred, the newest at the end')
  .action(async () => {
    const { printMailList } = await import('./mail.ts')
    await printMailList()
  })
mail
  .command('show')
  .description('what one says')
  .argument('<id>', 'as the list shows it')
  .action(async (id: string) => {
    const { printMail } = await import('./mail.ts')
    await printMail(id)
  })
const ai = program.command('ai').description('AI engines: what is set up, asked, spent and kept')
ai.command('status')
  .description('engines, tasks of the last week, money, kept answers')
  .option('--json', 'for programs')
  .action(async (flags: { readonly json?: true }) => {
    const { printAiStatus } = await import('./ai.ts')
    await printAiStatus(flags)
  })
addAuditCommands(program)
addPersonCommands(program)
addHostCommands(program)
addRecoveryCommands(program)
addOperatorCommands(program)
program
  .command('render')
  .description('write the files for production from the definition')
  .argument('[targets...]', 'which; all without names')
  .option('--list', 'show the targets')
  .option('--check', 'write nothing; fail when a file is not as the definition says')
  .option('--keep', 'keep what was changed by hand, so that it survives the next render')
  .option('--out <directory>', 'write there instead of into the checkout')
  .option('--json', 'tell the files as JSON')
  .action(async (names: string[], flags: RenderFlags) => {
    const { runRender } = await import('./render.ts')
    await runRender(names, flags)
  })
program
  .command('prove')
  .description('measure what the product claims')
  .argument('[names...]', 'ids or areas of claims: NET-02, dat')
  .option('--fast', 'only what takes a minute together')
  .option('--soak', 'also what takes the night')
  .option('--strict', 'fail on what could not be tested')
  .option('--sabotage', 'also show for each proof that it can fail')
  .option('--write', 'put the verdicts into each PRODUCTION.md')
  .option('--json', 'print the signed receipt')
  .option('--open', 'open the report')
  .option('--list', 'show the claims and run none')
  .option('--seed <number>', 'repeat the choices of an earlier run')
  .option('--config <file>', 'judge another app, which the file says how to start and use')
  .option('--url <address>', 'judge the app that answers there, on this machine')
  .option('--dsn <address>', 'with --config or --url: the PostgreSQL of that app')
  .option('--verify <file>', 'check the signature and the date of a receipt')
  .action(async (names: string[], flags: ProveFlags) => {
    const { runProve } = await fromCheckout(() => import('./prove.ts'))
    await runProve(names, flags)
  })

try {
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`\n${error instanceof ConfigError ? error.message : redactText((error as Error).message)}\n\n`)
  process.exit(1)
}
