import { confirm, human, look, type Runbook } from './runbook.ts'

export const backupsBehind: Runbook = {
  title: 'The recovery points are behind',
  symptom:
    'the log says that the part "recovery" fails, that a store does not take the archive, that no recovery point could be made, or that one did not pass a drill',
  steps: [
    look('recovery', 'what would be lost with this disk now'),
    look('drills', 'whether the newest point was restored on trial, and what did not pass'),
    look('disk', 'a copy of the database is made here before it goes to a store'),
    look('kit', 'without a kit that was read back nothing is backed up'),
    {
      kind: 'list',
      text: 'what each store has, and until when one can go back',
      command: ['backups'],
      judged: true,
    },
    human(
      'bring the store back: mount it, make space in it, correct its key, or put another one into BACKUP_STORES and start again',
      'seaworthy backups lists it',
      'recovery',
    ),
    human(
      'make a recovery point: seaworthy backup. Where the archive was cut, nothing since the cut can be had back until there is one',
      'it prints the point of every store',
      'recovery',
    ),
    human(
      'try the newest point: seaworthy drill. Where the copy is damaged, make another point, and look at the disk of the store; where database, files or audit are, the running system has the same fault',
      'it says that the point is VERIFIED',
      'recovery',
      'drills',
    ),
    confirm('recovery', 'there is a verified point of this day, it passed a drill, and the archive follows it'),
  ],
}
