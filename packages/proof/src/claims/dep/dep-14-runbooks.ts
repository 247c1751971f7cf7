import { chmodSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { defineClaim, exactly } from '../../claim.ts'
import { blobsOf } from '../../rig/blobs.ts'
import { type Operator, operatorOf } from '../../rig/operator.ts'
import { jpegPhoto, startRun, untilRunIs, uploadPhoto } from '../../rig/photo.ts'
import { freePort } from '../../rig/ports.ts'
import { signalTree } from '../../rig/process-tree.ts'
import type { Rig } from '../../rig/rig.ts'
import { mountSmallDisk, type SmallDisk } from '../../rig/small-disk.ts'
import type { Stack } from '../../rig/stack.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const MiB = 1_024 ** 2
const DISK_BYTES = 700 * MiB
const ALARM_MS = 40_000

export const claim = defineClaim({
  id: 'DEP-14',
  says: 'Each alarm in the log names a runbook that exists, and what that runbook looks at names the fault: a disk that is nearly full, a database that hangs, jobs that fail for good. The doctor finds each planted fault, and none on a healthy installation',
  answers: ['S1', 'S5'],
  witness: 'a loop device, SIGSTOP, a file that cannot be read, policies of PostgreSQL',
  needs: ['mkfs', 'mount', 'umount'],
  tier: 'soak',
  seconds: 90,
  limits: {
    'alarms without a runbook that exists': exactly(0, 'alarms'),
    'faults that the runbook of their alarm does not name': exactly(0, 'of 3'),
    'faults found where there is none': exactly(0, 'faults'),
    'planted faults that the doctor does not find': exactly(0, 'faults'),
  },
  experiment: async (rig) => {
    const disk = await mountSmallDisk(rig, DISK_BYTES)
    const stack = await rig.start({ environment: { DATA_DIR: disk.path } })
    const operator = operatorOf(rig, stack, { DATA_DIR: disk.path })
    const names = new Set(await operator.runbooks())
    const healthy = (await operator.doctor()).checks
    const planted = await plantAll(disk, stack, operator)
    const faults: Followed[] = []
    for (const fault of [deadLetters(stack, disk), fullDisk(disk), hungDatabase(rig, disk)])
      faults.push(await suffer(stack, operator, fault))
    const alarms = stack.log().filter(({ level }) => level === 'error')
    const nameless = alarms.filter(({ runbook }) => !names.has(String(runbook)))
    const wrong = healthy.filter(({ verdict }) => verdict === 'bad' || verdict === 'unknown')
    const unseen = planted.filter(({ isFound }) => !isFound)
    return {
      measured: {
        'alarms without a runbook that exists': nameless.length,
        'faults that the runbook of their alarm does not name': faults.filter(({ isNamed }) => !isNamed).length,
        'faults found where there is none': wrong.length,
        'planted faults that the doctor does not find': unseen.length,
      },
      met: {
        'each fault raised an alarm': faults.every(({ alarm }) => alarm !== undefined),
        'there are runbooks': names.size > 10,
        'faults were planted': planted.length >= 10,
      },
      evidence: [
        ...faults.map(({ name, alarm, said }) => `${name}: "${alarm ?? 'no alarm'}" -> ${said}`),
        ...nameless.map(({ message }) => `no runbook: ${message}`),
        ...wrong.map(({ check, found }) => `healthy, and yet ${check}: ${found}`),
        ...unseen.map(({ name, said }) => `not found: ${name}: ${said}`),
        `planted: ${planted.map(({ name }) => name).join(', ')}`,
      ],
    }
  },
  sabotages: [
    patch(
      'an alarm says nothing of its runbook',
      'packages/platform/src/telemetry/health-watch.ts',
      "log.error('a part of the service fails', { part: name, problem, runbook })",
      "log.error('a part of the service fails', { part: name, problem })",
    ),
    patch(
      'steps find everything well',
      'packages/ops/src/procedures/doctor/examine.ts',
      'return { check, title, ...finding }',
      "return { check, title, ...finding, verdict: 'ok' }",
    ),
    patch(
      'jobs that failed for good are counted among the cancelled',
      'packages/ops/src/procedures/doctor/checks/work.ts',
      "where state = 'dead'",
      "where state = 'cancelled'",
    ),
    patch(
      'the doctor cries wolf',
      'packages/ops/src/procedures/doctor/checks/database.ts',
      'if (used > most * USED_BAD)',
      'if (used < most)',
    ),
  ],
})

interface Fault {
  readonly name: string
  /** In the alarm: its words, and which part of the service where it is about one. */
  readonly alarm: string
  readonly part?: string
  /** The check that must find it. */
  readonly check: string
  begin(): Promise<void>
  end(): Promise<void>
}

interface Followed {
  readonly name: string
  readonly alarm: string | undefined
  readonly isNamed: boolean
  readonly said: string
}

/** Waits for the alarm, reads which runbook it names, and follows that one as far as it only looks. */
async function suffer(
  stack: Stack,
  operator: Operator,
  { name, alarm, part, check, begin, end }: Fault,
): Promise<Followed> {
  const lines = () => stack.log().filter((line) => line.message === alarm && (!part || line.part === part))
  const seen = lines().length
  try {
    await begin()
    const line = await until(`an alarm: ${name}`, () => lines()[seen], ALARM_MS).catch(() => undefined)
    const runbook = String(line?.runbook ?? 'none')
    const followed = await operator.runbook(runbook).catch((error: Error) => error)
    if (followed instanceof Error) return { name, alarm: line?.message, isNamed: false, said: followed.message }
    const { faults, code } = followed
    return {
      name,
      alarm: line?.message,
      isNamed: faults.includes(check) && code === 1,
      said: `${runbook}: ${faults.join(', ')}`,
    }
  } finally {
    await end()
  }
}

const PART = 'a part of the service fails'

const fullDisk = (disk: SmallDisk): Fault => ({
  name: 'the disk is nearly full',
  alarm: PART,
  part: 'disk',
  check: 'disk',
  begin: () => disk.fillGently(20 * MiB),
  end: async () => disk.empty(),
})

/** It neither answers nor ends: nobody starts it again. */
const hungDatabase = (rig: Rig, disk: SmallDisk): Fault => {
  const postmaster = Number(readFileSync(join(disk.path, 'database', 'postmaster.pid'), 'utf8').split('\n')[0])
  rig.defer(() => signalTree(postmaster, 'SIGCONT'))
  return {
    name: 'the database hangs',
    alarm: PART,
    part: 'database',
    check: 'database',
    begin: async () => void signalTree(postmaster, 'SIGSTOP'),
    end: async () => void signalTree(postmaster, 'SIGCONT'),
  }
}

/** The file of a photo is gone: its effect cannot be made, however often. */
const deadLetters = (stack: Stack, disk: SmallDisk): Fault => ({
  name: 'a job fails for good',
  alarm: 'job failed for good',
  check: 'deadLetters',
  begin: async () => {
    const person = await stack.newcomer()
    const photo = await uploadPhoto(person, await jpegPhoto(64, 48))
    for (const file of blobsOf({ ...stack, dataDirectory: disk.path }, person)) renameSync(file, `${file}.away`)
    const run = (await (await startRun(person, photo)).json()) as { id: string }
    await untilRunIs(person, run.id, 'failed', ALARM_MS)
  },
  end: async () => undefined,
})

interface Plant {
  readonly name: string
  readonly check: string
  /** Given to the doctor only: the installation itself stays well. */
  readonly settings?: Readonly<Record<string, string>>
  readonly plant?: () => unknown
  readonly undo?: () => unknown
}

interface Planted {
  readonly name: string
  readonly isFound: boolean
  readonly said: string
}

async function plantAll(disk: SmallDisk, stack: Stack, operator: Operator): Promise<readonly Planted[]> {
  const found: Planted[] = []
  for (const { name, check, settings, plant, undo } of await plantsOf(disk, stack)) {
    await plant?.()
    try {
      const { code, checks } = await operator.doctor([check], settings)
      const [seen] = checks
      found.push({ name, isFound: code === 1 && seen?.verdict === 'bad', said: `${seen?.verdict} ${seen?.found}` })
    } finally {
      await undo?.()
    }
  }
  return found
}

/** Each of them would be bad, and each is undone. */
async function plantsOf(disk: SmallDisk, stack: Stack): Promise<readonly Plant[]> {
  const admin = await stack.database('admin')
  const secret = join(disk.path, 'secrets', 'MEDIA_URL_SECRET')
  const nobody = `127.0.0.1:${await freePort()}`
  const other = { PORT: String(stack.port), ADMIN_PORT: String(await freePort()) }
  return [
    { name: 'a wrong setting', check: 'settings', settings: { DB_POOL_MAX: 'many' } },
    {
      name: 'a secret that is gone',
      check: 'secrets',
      plant: () => renameSync(secret, `${secret}.away`),
      undo: () => renameSync(`${secret}.away`, secret),
    },
    {
      name: 'a directory that others may open',
      check: 'files',
      plant: () => chmodSync(join(disk.path, 'secrets'), 0o755),
      undo: () => chmodSync(join(disk.path, 'secrets'), 0o700),
    },
    { name: 'a port that somebody else has', check: 'ports', settings: other },
    { name: 'another key', check: 'keys', settings: { ENCRYPTION_KEY: 'ab12cd34'.repeat(8) } },
    {
      name: 'a database that is not there',
      check: 'database',
      settings: { DATABASE_URL: `postgresql://owner:0123456789@${nobody}/app` },
    },
    {
      name: 'a database that only reads',
      check: 'writes',
      plant: () => admin.query('alter database seaworthy set default_transaction_read_only = on'),
      undo: async () => {
        await admin.query('set default_transaction_read_only = off')
        await admin.query('alter database seaworthy reset default_transaction_read_only')
      },
    },
    {
      name: 'a table without its policies',
      check: 'rights',
      plant: () => admin.query('alter table seaworthy.jobs no force row level security'),
      undo: () => admin.query('alter table seaworthy.jobs force row level security'),
    },
    { name: 'Redis that is gone', check: 'redis', settings: { REDIS_URL: `redis://${nobody}` } },
    {
      name: 'a mail server that is gone',
      check: 'mail',
      settings: { SMTP_URL: `smtp://${nobody}`, MAIL_FROM: 'mail@app.test' },
    },
    { name: 'a virus scanner that is gone', check: 'scanner', settings: { CLAMD_URL: `tcp://${nobody}` } },
    {
      name: 'a storage that is gone',
      check: 'storage',
      settings: {
        S3_ENDPOINT: `http://${nobody}`,
        S3_BUCKET: 'photos',
        S3_ACCESS_KEY_ID: 'key',
        S3_SECRET_ACCESS_KEY: '0123456789abcdef',
      },
    },
    {
      name: 'a certificate that cannot be read',
      check: 'certificate',
      settings: { TLS_CERT_FILE: join(disk.path, 'none.pem'), TLS_KEY_FILE: join(disk.path, 'none.key') },
    },
  ]
}
