import { confirm, human, look, type Runbook } from './runbook.ts'

export const tooManyRefused: Runbook = {
  title: 'Too many requests are refused',
  symptom:
    'people see 429 or 503 "Too many requests at once"; the log says "the service is full" or "suspicious behaviour"',
  steps: [
    look('refused', 'by limits, by fullness, or as suspicious'),
    look('latency', 'a slow service is full sooner'),
    look('connections', 'a full pool makes requests wait'),
    look('redis', 'without the shared store each process has only its share'),
    look('memory', 'a machine that swaps is full'),
    {
      kind: 'list',
      text: 'security events of the last hour',
      command: ['audit', 'list', '--security', '--since', '1h', '--limit', '20'],
    },
    human(
      'one network or account leads the list: an attack. SUSPICION=limit lets such wait ten minutes; block the network in front (nginx: deny)',
      'fewer requests a minute',
      'refused',
    ),
    human(
      'many different people: it is success. More web processes or machines, or a higher RATE_LIMIT_MAX',
      'p95 stays below a second',
      'refused',
    ),
    human(
      'everybody has one address in the log: TRUSTED_PROXIES is wrong, and all share one limit',
      'different networks in the log',
      'refused',
    ),
    confirm('service', 'it answers'),
  ],
}
