import { confirm, human, look, type Runbook } from './runbook.ts'

export const requestsFail: Runbook = {
  title: 'Requests fail or are slow, without a new release',
  symptom: 'the log says "request failed" or "slow statement"; people see errors with a request id, or wait',
  steps: [
    look('errors', 'how many requests fail'),
    look('latency', 'how slow answers are, and whether they wait for the database'),
    look('connections', 'whether connections are used up'),
    look('transactions', 'whether something holds locks'),
    look('care', 'dead rows and broken indexes slow queries down'),
    look('memory', 'a machine that swaps is slow'),
    look('processMemory', 'a process that collects garbage is slow'),
    look('disk', 'writes fail without space'),
    look('storage', 'files come from there'),
    look('redis', 'limits are counted there'),
    human(
      'find the request id that the person saw in the log; the line has the error and the route',
      'the reason in the words of the program',
    ),
    human('slow statements are in the log with their plan: "slow statement"', 'one statement that leads', 'latency'),
    confirm('errors', 'fewer than one in a hundred requests fails'),
  ],
}
