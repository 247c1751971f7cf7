import type { Command } from 'commander'
import type { DeployFlags, HostFlags, RollbackFlags } from './host.ts'

/** What an operator does with releases on one host. */
export function addHostCommands(program: Command): void {
  onHost(program.command('deploy').description('put this built checkout, or an image, into production on this host'))
    .argument('[image]', 'by its digest, registry/name@sha256:..., or one that is here; without it: this checkout')
    .option('--bake <time>', 'watch it for so long before the release before is let go', '60s')
    .option('--canary <share>', 'first only this share of the traffic, such as 10%')
    .option('--canary-for <time>', 'how long', '60s')
    .option('--ready <time>', 'longest time until it is ready', '60s')
    .option('--keep <number>', 'releases that stay on disk', '5')
    .option('--keep-warm', 'the release before goes on without traffic until the next deploy: going back is a switch')
    .option('--memory <size>', 'most memory of one process', '1gb')
    .option('--no-smoke', 'do not use it as somebody would before people do')
    .option('--proxy <url>', 'where nginx answers; default: PUBLIC_URL')
    .option('--dry-run', 'only look, and tell what would be done')
    .option('--yes', 'do not ask')
    .action(async (image: string | undefined, flags: DeployFlags) =>
      (await import('./host.ts')).runDeploy(image, flags),
    )
  onHost(program.command('rollback').description('give the traffic back to an earlier release'))
    .argument('[release]', 'which; default: the one that served before')
    .option('--ready <time>', 'longest time until it is ready', '60s')
    .option('--keep-warm', 'the release that is left goes on without traffic')
    .option('--yes', 'do not ask')
    .action(async (release: string | undefined, flags: RollbackFlags) =>
      (await import('./host.ts')).runRollback(release, flags),
    )
  onHost(program.command('releases').description('the releases on this host')).action(async (flags: HostFlags) =>
    (await import('./host.ts')).printReleases(flags),
  )
  onHost(program.command('status').description('what serves on this host, and what was done last')).action(
    async (flags: HostFlags) => (await import('./host.ts')).printStatus(flags),
  )
  program
    .command('journey')
    .description('use the apps as somebody would, as a synthetic person')
    .requiredOption('--socket <path>', 'the Unix socket of a release')
    .action(async (flags: { readonly socket: string }) => (await import('./journey.ts')).walkJourneys(flags))
}

const onHost = (command: Command): Command =>
  command
    .option('--root <directory>', 'where releases and data are; default: /srv/<name>')
    .option('--runner <name>', 'what runs releases that are checkouts: detached or systemd', 'detached')
    .option('--notify <url>', 'a webhook that is told how it went')
    .option('--json', 'tell the outcome as JSON')
