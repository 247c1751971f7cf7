import { confirm, human, look, type Runbook } from './runbook.ts'

export const keysLost: Runbook = {
  title: 'The key ring is lost, wrong or old',
  symptom:
    'a start is refused with two fingerprints, ENCRYPTION_KEY is gone, or the log says that the key is old or in no kit',
  steps: [
    look('secrets', 'what is in DATA_DIR/secrets, or in ENCRYPTION_KEY'),
    look('keys', 'the fingerprint here, and the one that the database is sealed with'),
    look('kit', 'whether a recovery kit was read back'),
    look('keyAge', 'how old it is'),
    human(
      'do not start the service with an empty DATA_DIR/secrets: it would make a new key',
      'it is stopped',
      'secrets',
      'keys',
    ),
    human(
      'fetch the recovery kit from where it was carried to, and: seaworthy keys restore FILE',
      'it says which key is now the current one',
      'secrets',
      'keys',
    ),
    human(
      'once the keys are right, and no kit was read back: make one today. seaworthy keys kit FILE, then seaworthy keys kit --verify FILE',
      'it holds every key in use',
      'kit',
    ),
    human(
      'an old key: seaworthy keys rotate, then a new kit, then seaworthy keys retire',
      'no key is older than 90 days',
      'keyAge',
    ),
    confirm('secrets', 'every secret is in its place'),
    confirm('keys', 'the fingerprints are the same'),
  ],
}
