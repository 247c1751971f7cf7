import { confirm, human, look, type Runbook } from './runbook.ts'

export const diskFull: Runbook = {
  title: 'The disk is full',
  symptom: 'the log says that the part "disk" fails or that the database only reads; uploads answer 503 storage_full',
  steps: [
    look('disk', 'how much is left'),
    look('writes', 'the embedded database only reads until there is space'),
    look('storage', 'files of people'),
    human(
      'what takes it: du -xh DATA_DIR | sort -h | tail -20. Old logs and releases may go (seaworthy deploy --keep 2); nothing below DATA_DIR/database may',
      'a gigabyte is free',
      'disk',
    ),
    human('or give it more: a larger disk, or files into S3 (S3_ENDPOINT)', 'a gigabyte is free', 'disk'),
    confirm('disk', 'there is space'),
    confirm('writes', 'the database writes again, by itself'),
  ],
}
