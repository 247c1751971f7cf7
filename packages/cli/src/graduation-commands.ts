import type { Command } from 'commander'
import type { GraduateFlags } from './graduation.ts'

/** From one PostgreSQL to another, and back. */
export function addGraduationCommand(program: Command): void {
  program
    .command('graduate')
    .description('move the database to another PostgreSQL while everything runs: no acknowledged write is lost')
    .option('--to <address>', 'postgresql://user:password@host/name; - reads it from standard input')
    .option('--back', 'to the embedded server')
    .option('--dry-run', 'only look at both, and tell what would be done')
    .option(
      '--pause-max <duration>',
      'the longest time in which nobody writes; then everything goes on as before',
      '30s',
    )
    .option('--abandon', 'let go what waits for a graduation that nobody goes on with')
    .option('--reopen', 'go on with the database that was left, and give up what was written to the other one since')
    .option('--json', 'tell the outcome as JSON')
    .action(async (flags: GraduateFlags) => (await import('./graduation.ts')).runGraduate(flags))
}
