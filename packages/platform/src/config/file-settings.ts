import { DAY, MINUTE, SECOND } from '@seaworthy/core'
import { bytes, duration, foreignSecret, integer, optionalText, secret, socketAddress, text, url } from './setting.ts'

/** Private files of people: where they are, how much of them, and what is done to them. */
export const fileSettings = {
  mediaSecret: secret('MEDIA_URL_SECRET', {
    group: 'Files',
    generated: true,
    text: 'Signs the expiring addresses of private files.',
  }),
  mediaUrlMs: duration('MEDIA_URL_EXPIRY', MINUTE, DAY, {
    group: 'Files',
    default: '1h',
    text: 'Life of the address of a private file.',
  }),
  storageQuotaBytes: bytes('STORAGE_QUOTA', '1000gb', {
    group: 'Files',
    default: '2gb',
    text: 'Files that one account may keep, together.',
  }),
  mediaConcurrency: integer('MEDIA_CONCURRENCY', 1, 16, {
    group: 'Files',
    default: '1',
    text: 'Pictures that one process decodes or resizes at a time.',
  }),
  clamdUrl: socketAddress('CLAMD_URL', 'tcp://127.0.0.1:3310', {
    group: 'Files',
    default: '',
    text: 'A virus scanner, clamd of ClamAV, that is asked about every upload: tcp://host:port or unix:/path. While it is away none is taken. Default: none.',
  }),
  clamdTimeoutMs: duration('CLAMD_TIMEOUT', SECOND, 5 * MINUTE, {
    group: 'Files',
    default: '30s',
    text: 'Longest wait for its verdict about one file.',
  }),
  s3Endpoint: url('S3_ENDPOINT', ['http:', 'https:'], 'https://s3.example.com', {
    group: 'Files',
    aliases: ['ALI_OSS_ENDPOINT'],
    text: 'S3-compatible storage. Default: files below DATA_DIR.',
  }),
  s3Bucket: optionalText('S3_BUCKET', 'photos', {
    group: 'Files',
    default: '',
    aliases: ['ALI_OSS_BUCKET'],
    text: 'Bucket; needed with S3_ENDPOINT.',
  }),
  s3Region: text('S3_REGION', {
    group: 'Files',
    default: 'auto',
    aliases: ['ALI_OSS_REGION'],
    text: 'Region of the bucket.',
  }),
  s3AccessKeyId: optionalText('S3_ACCESS_KEY_ID', 'AKIA...', {
    group: 'Files',
    default: '',
    aliases: ['ALI_OSS_ACCESS_KEY_ID'],
    text: 'Needed with S3_ENDPOINT.',
  }),
  s3SecretAccessKey: foreignSecret('S3_SECRET_ACCESS_KEY', '...', {
    group: 'Files',
    aliases: ['ALI_OSS_ACCESS_KEY_SECRET'],
    text: 'Needed with S3_ENDPOINT.',
  }),
} as const
