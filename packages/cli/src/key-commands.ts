import type { Command } from 'commander'
import type { KitFlags, RefreshFlags } from './keys.ts'

const rate = ['--rate <rows>', 'at most so many rows in a second', '20000'] as const

/** `seaworthy keys ...`: what an operator does with the keys that fields are sealed with. */
export function addKeyCommands(program: Command): void {
  const keys = program.command('keys').description('the keys that fields are sealed with')
  keys
    .command('status')
    .description('which keys there are, how old they are, and what is sealed with them')
    .option('--json', 'for programs')
    .action(async (flags: { json?: boolean }) => (await import('./keys.ts')).showKeyStatus(flags))
  keys
    .command('rotate')
    .description('make a new key and wrap all data keys by it, while everything runs')
    .option('--data', 'make new data keys instead, and seal every value again')
    .option(...rate)
    .action(async (flags: RefreshFlags & { data?: boolean }) => (await import('./keys.ts')).rotateKeys(flags))
  keys
    .command('retire')
    .description('delete older keys that wrap nothing any more')
    .action(async () => (await import('./keys.ts')).retireKeys())
  keys
    .command('encrypt-existing')
    .description('seal what was stored before its column was sealed')
    .option(...rate)
    .action(async (flags: RefreshFlags) => (await import('./keys.ts')).encryptExisting(flags))
  keys
    .command('kit')
    .description('write a recovery kit: the keys under a passphrase, as a text to print')
    .argument('[files...]', 'where to; without it, to the terminal; shares get a number each')
    .option('--shares <split>', 'in shares of which some open it without a passphrase, such as 3-of-5')
    .option('--verify', 'read a kit back, or all shares of one, and remember that it opens')
    .action(async (files: readonly string[], flags: KitFlags) => (await import('./keys.ts')).recoveryKit(files, flags))
  keys
    .command('restore')
    .description('put the keys of a recovery kit into this installation')
    .argument('<files...>', 'the kit, or as many of its shares as open it')
    .action(async (files: readonly string[]) => (await import('./keys.ts')).restoreKeys(files))
}
