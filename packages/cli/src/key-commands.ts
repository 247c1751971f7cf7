import type { Command } from 'commander'
import type { RefreshFlags } from './keys.ts'

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
    .argument('[file]', 'where to; without it, to the terminal')
    .option('--verify', 'read a kit back, and remember that it opens')
    .action(async (file: string | undefined, flags: { verify?: boolean }) =>
      (await import('./keys.ts')).recoveryKit(file, flags),
    )
  keys
    .command('restore')
    .description('put the keys of a recovery kit into this installation')
    .argument('<file>', 'the kit')
    .action(async (file: string) => (await import('./keys.ts')).restoreKeys(file))
}
