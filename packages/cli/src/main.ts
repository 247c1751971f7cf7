import { ConfigError } from '@seaworthy/platform/config'
import { Command } from 'commander'
import { findPlace } from './place.ts'
import { start } from './start.ts'

const program = new Command('seaworthy')
  .description('The production layer for AI web apps, on one machine or many')
  .version(findPlace().build.version)
  .showHelpAfterError()

program.command('start').description('run everything on this machine').action(start)
program.command('build').description('build everything again')
program
  .command('dev')
  .description('run the sources and reload them as they change')
  .action(async () => {
    const { dev } = await import('./dev.ts')
    await dev()
  })

try {
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`\n${error instanceof ConfigError ? error.message : (error as Error).message}\n\n`)
  process.exit(1)
}
