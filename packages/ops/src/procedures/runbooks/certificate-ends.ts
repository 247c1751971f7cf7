import { confirm, human, look, type Runbook } from './runbook.ts'

export const certificateEnds: Runbook = {
  title: 'The certificate runs out',
  symptom: 'the log says that the part "certificate" fails, or browsers warn',
  steps: [
    look('certificate', 'how many days it is good for'),
    look('clock', 'a wrong clock makes good certificates bad'),
    human(
      'renew it: certbot renew, or what your authority gives; of this machine only: seaworthy tls local NAMES',
      'new files in the place of the old ones',
      'certificate',
    ),
    human(
      'nginx reads it at a reload: nginx -t && systemctl reload nginx. The service itself takes it within five seconds',
      'the log says that a renewed certificate is shown',
      'certificate',
    ),
    confirm('certificate', 'it is good for weeks'),
  ],
}
