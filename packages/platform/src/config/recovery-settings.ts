import { DAY } from '@seaworthy/core'
import { bytes, duration, foreignSecret, integer, optionalText, places, text, timeOfDay, url } from './setting.ts'

/** Where recovery points are kept, how often they are made and how long they last. */
export const recoverySettings = {
  backupStores: places('BACKUP_STORES', '/mnt/backup', {
    group: 'Recovery',
    default: '',
    text: 'Where recovery points are kept: directories, best on other disks or machines, and buckets such as s3://bucket/prefix. Everything is encrypted before it gets there. Each holds everything: from any one of them and the recovery kit all is restored. Empty: there are no backups.',
  }),
  backupS3Endpoint: url('BACKUP_S3_ENDPOINT', ['http:', 'https:'], 'https://s3.example.com', {
    group: 'Recovery',
    text: 'S3-compatible storage of the buckets in BACKUP_STORES. Never taken from S3_ENDPOINT: what holds the copies should be another place, with another key.',
  }),
  backupS3Region: text('BACKUP_S3_REGION', {
    group: 'Recovery',
    default: 'auto',
    text: 'Region of these buckets.',
  }),
  backupS3AccessKeyId: optionalText('BACKUP_S3_ACCESS_KEY_ID', 'AKIA...', {
    group: 'Recovery',
    default: '',
    text: 'Needed with a bucket in BACKUP_STORES. For the running system one that may add and not delete: seaworthy backups policy.',
  }),
  backupS3SecretAccessKey: foreignSecret('BACKUP_S3_SECRET_ACCESS_KEY', '...', {
    group: 'Recovery',
    text: 'Needed with a bucket in BACKUP_STORES.',
  }),
  backupAt: timeOfDay('BACKUP_AT', {
    group: 'Recovery',
    default: '03:10',
    text: 'When a recovery point is made each day, in UTC. What is written between two is archived within seconds.',
  }),
  backupRetentionMs: duration('BACKUP_RETENTION', DAY, 3_650 * DAY, {
    group: 'Recovery',
    default: '30d',
    text: 'Any instant of this time can be restored.',
  }),
  backupKeep: integer('BACKUP_KEEP', 2, 1_000, {
    group: 'Recovery',
    default: '7',
    text: 'At least so many verified recovery points are kept, however old they are.',
  }),
  backupSpoolBytes: bytes('BACKUP_SPOOL_MAX', '1000gb', {
    group: 'Recovery',
    default: '1gb',
    text: 'What may wait on this disk while a store is away. Beyond it the oldest is given up, so that the database goes on: what is after it can be restored from the next recovery point on.',
  }),
  drillEveryDays: integer('DRILL_EVERY', 1, 30, {
    group: 'Recovery',
    default: '1',
    text: 'How often a recovery point is restored on trial, in days: 1 is after each. The alarm comes two hours after one was due.',
  }),
  drillDirectory: optionalText('DRILL_DIR', '/mnt/spare/drill', {
    group: 'Recovery',
    default: '',
    text: 'Where recovery points are restored on trial: a directory on a disk with space for database and files. Default: below DATA_DIR.',
  }),
  drillMemoryBytes: bytes('DRILL_MEMORY', '1000gb', {
    group: 'Recovery',
    default: '1gb',
    text: 'What a trial may use of the memory, all its processes together; each of them where the machine has no control groups for us.',
  }),
  restic: optionalText('RESTIC', '/usr/bin/restic', {
    group: 'Recovery',
    default: '',
    text: 'The program restic, 0.14 or newer, which keeps the copies of the database. Default: the one on PATH.',
  }),
} as const
