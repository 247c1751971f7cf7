import type { Command } from 'commander'
import type { ChecklistFlags } from './checklist.ts'
import type { DoctorFlags } from './doctor.ts'
import type { RunbookFlags } from './runbook.ts'

/** What an operator asks when something is wrong, or before it is. */
export function addOperatorCommands(program: Command): void {
  onInstallation(program.command('doctor').description('look at everything here: exit code 0 when nothing is bad'))
    .argument('[checks...]', 'which; all without names')
    .action(async (names: string[], flags: DoctorFlags) => (await import('./doctor.ts')).runDoctor(names, flags))
  onInstallation(
    program.command('runbook').description('what to do about an alarm, step by step; without a name the list'),
  )
    .argument('[name]', 'as the alarm names it')
    .option('--about <email>', 'whom it is about')
    .option('--yes', 'do not ask before something is changed')
    .action(async (name: string | undefined, flags: RunbookFlags) =>
      (await import('./runbook.ts')).runRunbook(name, flags),
    )
  onInstallation(
    program
      .command('checklist')
      .description('before, during and after a deployment: what is judged, and what people sign'),
  )
    .argument('<phase>', 'before, during or after')
    .option('--run', 'also what takes minutes: tests and proofs')
    .option('--sign <item>', 'say that this item is well; needs --as')
    .option('--as <name>', 'who says so')
    .action(async (phase: string, flags: ChecklistFlags) => (await import('./checklist.ts')).runChecklist(phase, flags))
}

const onInstallation = (command: Command): Command =>
  command
    .option(
      '--root <directory>',
      'where releases are deployed: /srv/<name>; default: the installation of this checkout',
    )
    .option('--runner <name>', 'what runs releases there: detached or systemd', 'detached')
    .option('--json', 'for programs')
