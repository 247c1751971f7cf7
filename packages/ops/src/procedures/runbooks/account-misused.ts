import { ABOUT, confirm, human, look, type Runbook } from './runbook.ts'

export const accountMisused: Runbook = {
  title: "Somebody's account is misused",
  symptom: 'a person reports it, or the log says that a used refresh token came back. --about EMAIL names the person',
  steps: [
    look('stolen', 'sign-ins whose token was used twice'),
    look('refusals', 'what was tried and refused today'),
    { kind: 'list', text: 'what this person did within a week, and from where', command: ['person', 'events', ABOUT] },
    {
      kind: 'act',
      text: 'end every sign-in of this person, on every device, within a second',
      command: ['person', 'end-sign-ins', ABOUT],
    },
    human(
      'have them set a new password by the link in a letter of ours, and a second factor',
      'they can sign in again, and nobody else',
    ),
    human('block them meanwhile, or for good: Operations > People', 'their sign-in is refused'),
    { kind: 'list', text: 'nobody changed the audit', command: ['audit', 'verify'], judged: true },
    confirm('audit', 'what was done is sealed'),
  ],
}
