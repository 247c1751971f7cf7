import { confirm, human, look, type Runbook } from './runbook.ts'

export const redisGone: Runbook = {
  title: 'Redis is gone',
  symptom:
    'the log says that the store of limits (redis) does not answer; people are served, each process counts its share of the limits',
  steps: [
    look('redis', 'does it answer with the password of REDIS_URL?'),
    look('refused', 'whether anybody is refused for it'),
    human(
      'start it: systemctl start redis; with containers: docker compose up -d redis. NOAUTH or WRONGPASS: the password in REDIS_URL is another one',
      'redis-cli -u "$REDIS_URL" ping says PONG',
      'redis',
    ),
    confirm('redis', 'it answers; the service finds it within a second'),
  ],
}
