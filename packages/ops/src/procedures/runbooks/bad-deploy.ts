import { confirm, look, ROOT, type Runbook } from './runbook.ts'

export const badDeploy: Runbook = {
  title: 'Errors or slow answers after a deploy',
  symptom: 'a new release serves, and requests fail or are slow since then',
  steps: [
    look('deploys', 'what was done last'),
    look('traffic', 'which release people get'),
    look('errors', 'how many requests fail'),
    look('latency', 'how slow answers are'),
    look('restarts', 'whether its processes end'),
    {
      kind: 'act',
      text: 'go back to the release before; what people wrote stays',
      command: ['rollback', ROOT, '--yes'],
      after: ['errors', 'latency', 'restarts', 'traffic'],
      onHost: true,
    },
    {
      kind: 'human',
      text: 'start the release before (kubectl rollout undo, or the image before by its digest)',
      expect: 'the old release serves',
      after: ['errors', 'latency', 'restarts'],
      elsewhere: true,
    },
    confirm('traffic', 'all traffic goes to one release that runs'),
    confirm('service', 'it answers'),
  ],
}
