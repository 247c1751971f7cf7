import type { KeyHolder } from '@seaworthy/platform/recovery'
import type { Command } from 'commander'
import type { DrillFlags } from './drill.ts'
import type { PastFlags } from './past.ts'
import type { BackupFlags, RestoreFlags } from './recovery.ts'

/** What an operator does so that nothing is lost for good. */
export function addRecoveryCommands(program: Command): void {
  addBackups(program)
  addDrill(program)
  addRestore(program)
}

function addBackups(program: Command): void {
  program
    .command('backup')
    .description('make a recovery point now, in every store of BACKUP_STORES, and verify it')
    .option('--take-over', 'write to the stores of an installation that is gone for good')
    .option('--json', 'tell the outcome as JSON')
    .action(async (flags: BackupFlags) => (await import('./recovery.ts')).runBackup(flags))
  const backups = program
    .command('backups')
    .description('the recovery points, and up to when each store can restore')
    .option('--from <store>', 'a store; default: those of BACKUP_STORES')
    .option('--kit <files...>', 'a recovery kit or shares of one, where the keys are not here')
    .option('--json', 'for programs')
    .action(async (flags: RestoreFlags) => (await import('./recovery.ts')).printBackups(flags))
  backups
    .command('prune')
    .description(
      'let go what is older than BACKUP_RETENTION, with a key that may delete: here, or from any other machine',
    )
    .option('--from <store>', 'a store; default: those of BACKUP_STORES')
    .option('--kit <files...>', 'a recovery kit or shares of one, where the keys are not here')
    .action(async (_flags, command: Command) => (await import('./stores.ts')).pruneStores(command.optsWithGlobals()))
  backups
    .command('policy')
    .description('the policy of a bucket that the running system may fill and not empty')
    .argument('<bucket>', 's3://bucket/prefix')
    .option('--running <arn>', 'the user of the running system', 'arn:aws:iam::111122223333:user/seaworthy-running')
    .option('--keeping <arn>', 'the user who keeps the store', 'arn:aws:iam::111122223333:user/seaworthy-keeping')
    .action(async (bucket: string, flags: Record<KeyHolder, string>) =>
      (await import('./stores.ts')).printPolicy(bucket, flags),
    )
}

function addDrill(program: Command): void {
  program
    .command('drill')
    .description(
      'restore a recovery point on trial, apart from everything else, ask it everything, use it, and remove it',
    )
    .argument('[point]', 'its id, as seaworthy backups shows it; default: the newest')
    .option('--store <directory>', 'a store; default: the one of BACKUP_STORES whose last trial is the oldest')
    .option('--kit <files...>', 'a recovery kit or shares of one, where the keys are not here')
    .option('--json', 'tell the report as JSON')
    .action(async (point: string | undefined, flags: DrillFlags) => (await import('./drill.ts')).runDrill(point, flags))
}

function addRestore(program: Command): void {
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
