import { confirm, human, look, type Runbook } from './runbook.ts'

export const serviceDown: Runbook = {
  title: 'The service does not answer',
  symptom: 'pages do not load, nginx answers 502, or the log says that a process ended and is started again',
  steps: [
    look('settings', 'wrong settings refuse a start'),
    look('secrets', 'a start without its secrets makes new ones'),
    look('ports', 'somebody else may listen there'),
    look('disk', 'a full disk ends what writes'),
    look('memory', 'the kernel ends processes when memory is out'),
    look('database', 'nothing is ready without it'),
    look('keys', 'a start with another key is refused'),
    look('service', 'does it run, and are all its parts ready?'),
    look('restarts', 'a part that ends again and again'),
    look('traffic', 'where nginx sends people'),
    human(
      'read the last lines of the log before it ended: journalctl -u "seaworthy@*" -n 100, or run/<release>.log',
      'the line that names the reason',
      'service',
      'restarts',
      'traffic',
    ),
    human(
      'start it: npm start; on a host: seaworthy rollback <release>, or systemctl start seaworthy@<release>',
      'it says that it is up',
      'service',
      'traffic',
    ),
    confirm('service', 'it answers on the way that people take'),
  ],
}
