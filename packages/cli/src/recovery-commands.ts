import type { Command } from 'commander'
import type { PastFlags } from './past.ts'
import type { BackupFlags, RestoreFlags } from './recovery.ts'

/** What an operator does so that nothing is lost for good. */
export function addRecoveryCommands(program: Command): void {
  program
    .command('backup')
    .description('make a recovery point now, in every store of BACKUP_STORES, and verify it')
    .option('--take-over', 'write to the stores of an installation that is gone for good')
    .option('--json', 'tell the outcome as JSON')
    .action(async (flags: BackupFlags) => (await import('./recovery.ts')).runBackup(flags))
  program
    .command('backups')
    .description('the recovery points, and up to when each store can restore')
    .option('--from <store>', 'a store; default: those of BACKUP_STORES')
    .option('--kit <files...>', 'a recovery kit or shares of one, where the keys are not here')
    .option('--json', 'for programs')
    .action(async (flags: RestoreFlags) => (await import('./recovery.ts')).printBackups(flags))
  program
    .command('restore')
    .description(
      'bring back database, files and keys of one instant, beside what is here, and check it; or one account, or one table, into what runs',
    )
    .option('--to <target>', 'latest, an instant such as 2026-01-31T12:34:56Z, transaction:1234, or before-gap')
    .option('--into <directory>', 'an empty or new directory; DATA_DIR of an empty machine, or beside what runs')
    .option('--in-place', 'take the place of the database in DATA_DIR, which must not run; the present one is kept')
    .option(
      '--account <id>',
      'only what is missing of this account, by its id or the address of its person; shown first',
    )
    .option('--table <name>', 'only what is missing in this table of an app, such as cosnap.photos; shown first')
    .option('--take-past', 'with --account or --table: also what was changed since, not only what is missing')
    .option('--undo <id>', 'undo what --account or --table brought back')
    .option('--yes', 'with --account or --table: do not ask before something is changed')
    .option('--from <store>', 'a store; default: those of BACKUP_STORES, the next one where the first is damaged')
    .option('--kit <files...>', 'a recovery kit or shares of one, where the keys are not here')
    .option('--point <id>', 'begin at this recovery point')
    .option('--timeline <number>', 'follow this one instead of the newest')
    .option('--dry-run', 'only look, and tell what would be done')
    .option('--json', 'tell the outcome as JSON')
    .action(async (flags: PastFlags) => {
      if (flags.account || flags.table || flags.undo) await (await import('./past.ts')).runPast(flags)
      else await (await import('./recovery.ts')).runRestore(flags)
    })
}
