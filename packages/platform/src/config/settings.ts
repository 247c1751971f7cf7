import { DAY, HOUR, MINUTE, SECOND } from '@seaworthy/core'
import { ADMIN } from './admin-address.ts'
import { aiSettings } from './ai-settings.ts'
import { fileSettings } from './file-settings.ts'
import { recoverySettings } from './recovery-settings.ts'
import {
  bytes,
  duration,
  foreignSecret,
  hexKey,
  hexKeys,
  integer,
  oneOf,
  optionalText,
  origins,
  redisUrl,
  secret,
  sender,
  socketPath,
  text,
  url,
} from './setting.ts'

/** Every setting there is. The key is what code reads, `env` what people write. */
export const settings = {
  environment: oneOf('NODE_ENV', ['development', 'test', 'production'], {
    group: 'General',
    default: 'development',
    text: 'Changes values only, never the code path. Production refuses known placeholders and logs JSON.',
  }),
  dataDirectory: text('DATA_DIR', {
    group: 'General',
    default: '.seaworthy',
    text: 'Where the database, files and generated secrets live; relative to the checkout.',
  }),
  host: text('HOST', {
    group: 'General',
    default: '127.0.0.1',
    text: 'Address that people connect to. Use 0.0.0.0 to listen everywhere.',
  }),
  port: integer('PORT', 0, 65_535, {
    group: 'General',
    default: '3000',
    text: 'Port for people. 0 takes any free one.',
  }),
  socket: socketPath('SOCKET', '/run/seaworthy/web.sock', {
    group: 'General',
    default: '',
    text: 'A Unix socket on which web processes listen instead of HOST and PORT, for a proxy on this machine whose group may open it. Needs TRUSTED_PROXIES.',
  }),
  tlsCertFile: optionalText('TLS_CERT_FILE', '/etc/seaworthy/tls/tls.crt', {
    group: 'General',
    default: '',
    text: 'With it web processes speak TLS 1.2 and 1.3 themselves: the certificate and those between it and its authority, as PEM. A renewed one is taken without a restart. For this machine: `seaworthy tls local`.',
  }),
  tlsKeyFile: optionalText('TLS_KEY_FILE', '/etc/seaworthy/tls/tls.key', {
    group: 'General',
    default: '',
    text: 'Its key, as PEM; needed with TLS_CERT_FILE.',
  }),
  adminHost: text('ADMIN_HOST', {
    group: 'General',
    default: ADMIN.host,
    text: 'Address for metrics and detailed health, which say much to whoever reaches it: give it to a network of your own only, such as that of a container.',
  }),
  adminPort: integer('ADMIN_PORT', 0, 65_535, {
    group: 'General',
    default: ADMIN.port,
    text: 'Port for metrics and detailed health.',
  }),
  adminSocket: socketPath('ADMIN_SOCKET', '/run/seaworthy/admin.sock', {
    group: 'General',
    default: '',
    text: 'A Unix socket for metrics and detailed health instead of ADMIN_HOST and ADMIN_PORT. A deploy of containers sets it.',
  }),
  publicUrl: url('PUBLIC_URL', ['http:', 'https:'], 'https://app.example.com', {
    group: 'General',
    text: 'The address people type. With https, cookies are marked Secure. Default: http://localhost:PORT, or https with TLS_CERT_FILE.',
  }),
  webProcesses: integer('WEB_PROCESSES', 0, 16, {
    group: 'General',
    default: '1',
    text: 'Web processes behind the one port. 0: this machine only runs jobs, and takes no port.',
  }),
  webProcessesTotal: integer('WEB_PROCESSES_TOTAL', 0, 1_000, {
    group: 'General',
    default: '0',
    text: 'Web processes on all machines that share the limits. 0: those of this machine, WEB_PROCESSES.',
  }),
  workerProcesses: integer('WORKER_PROCESSES', 0, 16, {
    group: 'General',
    default: '1',
    text: 'Processes that run jobs. 0: other machines run them.',
  }),
  workerConcurrency: integer('WORKER_CONCURRENCY', 1, 32, {
    group: 'General',
    default: '1',
    text: 'Jobs that one worker process runs at a time.',
  }),
  logLevel: oneOf('LOG_LEVEL', ['debug', 'info', 'warn', 'error'], {
    group: 'General',
    default: 'info',
    text: 'Lines below this level are not written.',
  }),
  logFormat: oneOf('LOG_FORMAT', ['auto', 'json', 'pretty'], {
    group: 'General',
    default: 'auto',
    text: 'auto: pretty on a terminal outside production, else JSON.',
  }),
  shutdownMs: duration('SHUTDOWN_TIMEOUT', SECOND, 10 * MINUTE, {
    group: 'General',
    default: '30s',
    text: 'How long a stop waits for requests and jobs under way.',
  }),

  databaseUrl: foreignSecret(
    'DATABASE_URL',
    'postgresql://user:password@host:5432/name',
    {
      group: 'Database',
      text: 'A PostgreSQL 16+ server of your own, as a role that may create roles. Default: the embedded server.',
    },
    ['postgresql:', 'postgres:'],
  ),
  databaseReplicaUrl: foreignSecret(
    'DATABASE_REPLICA_URL',
    'postgresql://standby.example.com:5432/name',
    {
      group: 'Database',
      text: 'A streaming standby of the database that answers reading routes while it is at most 5 s behind, and never with less than the client has seen. User and password in it are not needed. Default: none.',
    },
    ['postgresql:', 'postgres:'],
  ),
  databaseCaFile: optionalText('DB_CA_FILE', '/etc/ssl/database-ca.pem', {
    group: 'Database',
    default: '',
    text: 'The authority that signed the certificates of these servers. Default: the authorities of the system.',
  }),
  databasePoolMax: integer('DB_POOL_MAX', 2, 100, {
    group: 'Database',
    default: '10',
    text: 'Connections of one process.',
  }),
  databaseQueryMs: duration('DB_QUERY_TIMEOUT', 100, 10 * MINUTE, {
    group: 'Database',
    default: '10s',
    text: 'Longest single statement.',
  }),
  databaseTransactionMs: duration('DB_TRANSACTION_TIMEOUT', 100, HOUR, {
    group: 'Database',
    default: '30s',
    text: 'Longest transaction. Must exceed DB_QUERY_TIMEOUT.',
  }),
  databaseWaitMs: duration('DB_WAIT_TIMEOUT', 100, 10 * MINUTE, {
    group: 'Database',
    default: '5s',
    text: 'Longest wait for a free connection before 503.',
  }),
  databaseSlowMs: duration('DB_SLOW_QUERY', 10, MINUTE, {
    group: 'Database',
    default: '200ms',
    text: 'A statement that takes longer is logged with its plan, without its values, once a minute.',
  }),
  databaseTries: integer('DB_CONNECT_TRIES', 1, 100, {
    group: 'Database',
    default: '10',
    text: 'Tries to reach the database at start: after 2, 4, 8 ... 30 s.',
  }),
  migrations: oneOf('MIGRATIONS', ['start', 'wait'], {
    group: 'Database',
    default: 'start',
    text: 'start: a start prepares the database. wait: it changes nothing there, needs no owner in DATABASE_URL, and waits until `seaworthy migrate` of this release or a newer one has run.',
  }),
  databaseRoleSecret: secret('DATABASE_ROLE_SECRET', {
    group: 'Database',
    generated: true,
    text: 'The passwords of the app, worker and reader roles are derived from it. Share it between machines.',
  }),

  encryptionKey: hexKey('ENCRYPTION_KEY', {
    group: 'Encryption',
    generated: true,
    text: 'Wraps the keys that sealed fields are encrypted with. Losing it loses them: seaworthy keys kit. Share it between machines.',
  }),
  encryptionKeysOld: hexKeys('ENCRYPTION_KEYS_OLD', {
    group: 'Encryption',
    default: '',
    text: 'Keys that can still be read with, while a rotation is under way.',
  }),

  accessSecret: secret('JWT_ACCESS_SECRET', {
    group: 'Identity',
    generated: true,
    text: 'Encrypts the keys that sign access tokens.',
  }),
  accessMs: duration('JWT_ACCESS_EXPIRY', MINUTE, DAY, {
    group: 'Identity',
    default: '15m',
    text: 'Life of an access token.',
  }),
  refreshSecret: secret('JWT_REFRESH_SECRET', {
    group: 'Identity',
    generated: true,
    text: 'Keys the stored hashes of refresh tokens.',
  }),
  refreshMs: duration('JWT_REFRESH_EXPIRY', HOUR, 90 * DAY, {
    group: 'Identity',
    default: '7d',
    text: 'Life of a sign-in without use. Must exceed JWT_ACCESS_EXPIRY.',
  }),
  sessionMs: duration('SESSION_MAX_AGE', HOUR, 365 * DAY, {
    group: 'Identity',
    default: '30d',
    text: 'Life of a sign-in, whatever use is made of it. Not less than JWT_REFRESH_EXPIRY.',
  }),
  secondFactorFor: oneOf('REQUIRE_SECOND_FACTOR', ['nobody', 'operators', 'everyone'], {
    group: 'Identity',
    default: 'nobody',
    text: 'Who must sign in with an authenticator app or a passkey before anything else but setting one up.',
  }),
  signingKeyMs: duration('JWT_KEY_ROTATION', HOUR, 365 * DAY, {
    group: 'Identity',
    default: '90d',
    text: 'A key signs access tokens for this long before the next one takes over.',
  }),

  smtpUrl: foreignSecret(
    'SMTP_URL',
    'smtps://user:password@mail.example.com:465',
    {
      group: 'Mail',
      text: 'The server that delivers mail. With smtp:// it must encrypt after the greeting, unless it is on this machine. Default: mail stays here, for `seaworthy mail list`.',
    },
    ['smtp:', 'smtps:'],
  ),
  mailFrom: sender('MAIL_FROM', 'Seaworthy <mail@example.com>', {
    group: 'Mail',
    default: '',
    text: 'Who mail comes from; needed with SMTP_URL.',
  }),
  notifyEmail: sender('NOTIFY_EMAIL', 'operators@example.com', {
    group: 'Mail',
    default: '',
    text: 'Who is told by mail how a deploy or rollback went; needs SMTP_URL. Default: nobody.',
  }),

  allowedOrigins: origins('ALLOWED_ORIGINS', {
    group: 'HTTP',
    default: '',
    text: 'Other sites whose pages may call the API. Empty: only our own pages.',
  }),
  trustedProxies: integer('TRUSTED_PROXIES', 0, 10, {
    group: 'HTTP',
    default: '0',
    text: 'How many proxies stand in front. That many entries of X-Forwarded-For are believed.',
  }),
  requestMs: duration('REQUEST_TIMEOUT', SECOND, HOUR, {
    group: 'HTTP',
    default: '10m',
    text: 'Longest time for a request to arrive, slow uploads included. Must exceed DB_TRANSACTION_TIMEOUT.',
  }),
  jsonBytesMax: bytes('MAX_REQUEST_SIZE', '100mb', { group: 'HTTP', default: '1mb', text: 'Largest JSON body.' }),
  rateWindowMs: duration('RATE_LIMIT_WINDOW', SECOND, DAY, {
    group: 'Limits',
    default: '15m',
    text: 'Window of the limits below.',
  }),
  rateMax: integer('RATE_LIMIT_MAX', 1, 1_000_000, {
    group: 'Limits',
    default: '100',
    text: 'Requests of one caller in a window, where no class of its own applies. One network may send ten times that.',
  }),
  rateAuthMax: integer('AUTH_RATE_LIMIT_MAX', 1, 1_000_000, {
    group: 'Limits',
    default: '5',
    text: 'Tries to sign in or up from one network in a window.',
  }),
  rateUploadMax: integer('UPLOAD_RATE_LIMIT_MAX', 1, 1_000_000, {
    group: 'Limits',
    default: '20',
    text: 'Uploads of one account in a window.',
  }),
  rateEffectsMax: integer('EFFECTS_RATE_LIMIT_MAX', 1, 1_000_000, {
    group: 'Limits',
    default: '50',
    text: 'Effects of one account in a window.',
  }),

  redisUrl: redisUrl('REDIS_URL', {
    group: 'Limits',
    text: 'Where limits are counted for all web processes; redis:// on this machine only. Default: in PostgreSQL.',
  }),
  suspicion: oneOf('SUSPICION', ['watch', 'limit'], {
    group: 'Limits',
    default: 'watch',
    text: 'What happens to accounts and networks that behave like an attack: watch reports them, limit lets them wait ten minutes too.',
  }),

  auditSecret: secret('AUDIT_SECRET', {
    group: 'Audit and privacy',
    generated: true,
    text: 'Seals audit lines. Never change it: what was sealed with another one cannot be verified. Keep a copy elsewhere.',
  }),
  auditRetentionMs: duration('AUDIT_RETENTION', 90 * DAY, 3_650 * DAY, {
    group: 'Audit and privacy',
    default: '400d',
    text: 'How long audit lines are kept.',
  }),
  jobRetentionMs: duration('JOB_RETENTION', DAY, 365 * DAY, {
    group: 'Audit and privacy',
    default: '30d',
    text: 'How long jobs that ended are kept.',
  }),
  sessionRetentionMs: duration('SESSION_RETENTION', DAY, 365 * DAY, {
    group: 'Audit and privacy',
    default: '1d',
    text: 'How long sign-ins that expired are kept.',
  }),
  answerRetentionMs: duration('IDEMPOTENCY_RETENTION', HOUR, 30 * DAY, {
    group: 'Audit and privacy',
    default: '48h',
    text: 'How long an answer is kept for its idempotency key.',
  }),
  eventRetentionMs: duration('EVENT_RETENTION', 10 * MINUTE, 7 * DAY, {
    group: 'Audit and privacy',
    default: '1h',
    text: 'How long a browser that was away can catch up on live events.',
  }),

  ...aiSettings,

  ...recoverySettings,

  ...fileSettings,
} as const
