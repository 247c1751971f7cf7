import { confirm, human, look, type Runbook } from './runbook.ts'

export const providerDown: Runbook = {
  title: 'Mail, storage or the scanner of others is down',
  symptom:
    'the log says that the part "mail", "storage" or "virus scanner" fails; letters do not come, uploads answer 503',
  steps: [
    look('mail', 'does the mail server greet, and do letters wait?'),
    look('storage', 'does the storage answer?'),
    look('scanner', 'without a verdict no upload is taken'),
    look('jobs', 'work that needs them waits'),
    { kind: 'list', text: 'the last letters and what became of them', command: ['mail', 'list'] },
    human(
      'look at the status page of the provider; a refused password or certificate is ours: SMTP_URL, S3_*',
      'who is to mend it',
      'mail',
      'storage',
      'scanner',
    ),
    human(
      'nothing is lost meanwhile: letters are tried for a day, jobs are tried again, and what failed for good is kept',
      'tell people what waits',
      'mail',
      'storage',
      'scanner',
    ),
    confirm('mail', 'letters go out'),
    confirm('storage', 'files can be kept'),
    confirm('scanner', 'uploads are looked at'),
  ],
}
