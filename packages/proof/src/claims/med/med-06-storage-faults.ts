import { utimesSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { defineClaim, exactly } from '../../claim.ts'
import { type DatabaseClient, openClient } from '../../rig/database.ts'
import { onServer } from '../../rig/external.ts'
import { jsonBody, type Person } from '../../rig/person.ts'
import { jpegPhoto } from '../../rig/photo.ts'
import type { Rig } from '../../rig/rig.ts'
import { mountSmallDisk, type SmallDisk } from '../../rig/small-disk.ts'
import type { Stack } from '../../rig/stack.ts'
import { compareStored, filesIn } from '../../rig/stored.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const MiB = 1_024 ** 2
const KILLS_OF_A_KIND = 2
const DAY_SECONDS = 25 * 3_600

export const claim = defineClaim({
  id: 'MED-06',
  says: 'A full disk, and kill -9 before, between and right after file and row of a photo, leave no row without its file; what was refused leaves no file, what was cut off is swept when it is a day old, and an upload in parts goes on once there is space',
  answers: ['M2', 'M7', 'ASVS 5.2.4'],
  witness: 'a loop device that is full, kill -9, rows and files compared',
  needs: ['mkfs', 'mount', 'umount'],
  tier: 'full',
  seconds: 40,
  limits: {
    'uploads to a full disk not refused with 503 storage_full': exactly(0, 'uploads'),
    'files that refused uploads left': exactly(0, 'files'),
    'rows without their file': exactly(0, 'rows'),
    'photos that were confirmed and are gone': exactly(0, 'photos'),
    'uploads in parts that could not go on': exactly(0, 'uploads'),
    'files and rows of nobody, a day later': exactly(0, 'files and rows'),
  },
  experiment: async (rig) => {
    const parts = await startOnSmallDisk(rig)
    const { stack, admin, disk } = parts
    const person = await stack.newcomer()
    const confirmed = [await upload(person, await photoOf(0))]
    const full = await uploadToFullDisk(parts, person)
    const kills = await killInUploads(rig, parts, person)
    const cutOff = await compareStored(admin, disk.path)
    const { items } = await person.json<{ items: { id: string }[] }>('/api/cosnap/photos?limit=50')
    const listed = new Set(items.map(({ id }) => id))
    const gone = [...confirmed, full.resumed, ...kills.confirmed].filter((id) => !listed.has(id))
    const leftRows = await sweepADayLater(admin, cutOff.withoutRow)
    const { withoutFile, withoutRow } = await compareStored(admin, disk.path)
    return {
      measured: {
        'uploads to a full disk not refused with 503 storage_full': full.wrong.length,
        'files that refused uploads left': full.left.length,
        'rows without their file': new Set([...cutOff.withoutFile, ...withoutFile]).size,
        'photos that were confirmed and are gone': gone.length,
        'uploads in parts that could not go on': full.resumed ? 0 : 1,
        'files and rows of nobody, a day later': withoutRow.length + leftRows,
      },
      met: {
        'the disk was full': full.refused >= 3,
        'six uploads were killed': kills.count === 3 * KILLS_OF_A_KIND,
        'all that were confirmed were different photos': new Set(kills.confirmed).size === KILLS_OF_A_KIND,
      },
      evidence: [
        `${cutOff.withoutRow.length} files of killed uploads waited for the sweep`,
        ...full.wrong,
        ...full.left,
        ...cutOff.withoutFile,
        ...withoutRow,
      ],
    }
  },
  sabotages: [
    patch(
      'the row does not wait for its file',
      'packages/platform/src/media/media.ts',
      'await settings.store.putFile(`${accountId}/${hash}`, clean, bytes)',
      "const late = await (await import('node:fs/promises')).readFile(clean)\n    setTimeout(() => void settings.store.putBytes(`${accountId}/${hash}`, late), 3_000)",
    ),
    patch(
      'what a refused upload had written stays',
      'packages/platform/src/media/receive.ts',
      'await rm(path, { force: true })\n    throw translate(error)',
      'throw translate(error)',
    ),
    patch(
      'the sweep forgets the files',
      'packages/platform/src/media/media.ts',
      'settings.store.delete(`${blob.account_id}/${blob.hash}`)',
      'settings.store.ping()',
    ),
  ],
})

interface Parts {
  readonly stack: Stack
  readonly admin: DatabaseClient
  readonly disk: SmallDisk
}

/** Its files are on a disk that can be filled, its database is not. */
async function startOnSmallDisk(rig: Rig): Promise<Parts> {
  const host = await rig.start({ environment: { WORKER_PROCESSES: '0' } })
  const settings = onServer(await host.database('admin'), 'proof_storage')
  const disk = await mountSmallDisk(rig, 96 * MiB)
  const stack = await rig.start({ environment: { ...settings, DATA_DIR: disk.path, WORKER_PROCESSES: '1' } })
  const admin = await openClient(settings.DATABASE_URL ?? '')
  rig.defer(() => admin.end())
  return { stack, admin, disk }
}

/** Another picture each time: equal ones are one file. */
const photoOf = (n: number): Promise<Uint8Array<ArrayBuffer>> => jpegPhoto(1_600 + n, 1_200)

const send = (person: Person, body?: Uint8Array<ArrayBuffer>, uploadId?: string): Promise<Response> =>
  person.fetch('/api/cosnap/photos?name=boat.jpg', {
    method: 'POST',
    ...(body ? { body } : {}),
    ...(uploadId ? { headers: { 'upload-id': uploadId } } : {}),
  })

async function upload(person: Person, body: Uint8Array<ArrayBuffer>): Promise<string> {
  const response = await send(person, body)
  if (response.status !== 201) throw new Error(`the upload answered ${response.status}: ${await response.text()}`)
  return ((await response.json()) as { id: string }).id
}

/** Whole photos and one in parts, with no space for the file, for its clean copy, and for anything. */
async function uploadToFullDisk({ stack, admin, disk }: Parts, person: Person) {
  const photo = await photoOf(1)
  const { id } = await person.json<{ id: string }>('/api/uploads', jsonBody({ bytes: photo.length }))
  const part = (offset: number): Promise<Response> =>
    person.fetch(`/api/uploads/${id}?offset=${offset}`, { method: 'PATCH', body: photo.slice(offset) })
  const wrong: string[] = []
  const check = async (what: string, answer: Response): Promise<void> => {
    const text = await answer.text()
    if (answer.status !== 503 || !text.includes('"storage_full"')) wrong.push(`${what}: ${answer.status} ${text}`)
  }
  const before = new Set((await compareStored(admin, disk.path)).withoutRow)
  for (const [what, bytes] of [
    ['no space for the photo', photo.length / 2],
    ['no space for its clean copy', photo.length * 1.3],
    ['no space at all', 0],
  ] as const) {
    disk.fill(bytes)
    await check(what, await send(person, photo))
    disk.empty()
  }
  disk.fill(photo.length / 2)
  await check('no space for a part', await part(0))
  disk.empty()
  const left = (await compareStored(admin, disk.path)).withoutRow.filter((path) => !before.has(path))
  await until('it is ready', async () => (await fetch(`${stack.url}/health/ready`)).ok)
  const { offset } = await person.json<{ offset: number }>(`/api/uploads/${id}`)
  await part(offset)
  const made = await send(person, undefined, id)
  const resumed = made.status === 201 ? ((await made.json()) as { id: string }).id : ''
  return { wrong, left, resumed, refused: 4 - wrong.length + wrong.filter((line) => / [45]\d\d /.test(line)).length }
}

/** While the photo is received, while its row is awaited with the file in its place, and right after it was confirmed. */
async function killInUploads(rig: Rig, { stack, admin, disk }: Parts, person: Person) {
  const confirmed: string[] = []
  let count = 0
  const kill = async (): Promise<void> => {
    const [web = 0] = await stack.pids('web')
    process.kill(web, 'SIGKILL')
    count++
    await until('another process serves', async () => {
      const [now = web] = await stack.pids('web').catch(() => [web])
      return now !== web
    })
    await stack.ready()
  }
  for (let n = 0; n < KILLS_OF_A_KIND; n++) {
    await receiveHalf(rig, stack, person, await photoOf(10 + n))
    await until('a half is on the disk', () => filesIn(join(disk.path, 'media', 'drafts')).length > n)
    await kill()
    await admin.query('begin; lock table cosnap.photos in share row exclusive mode')
    const lost = send(person, await photoOf(20 + n)).catch(() => undefined)
    await untilSomebodyWaits(admin)
    await kill()
    await admin.query('rollback')
    await lost
    confirmed.push(await upload(person, await photoOf(30 + n)))
    await kill()
  }
  return { confirmed, count }
}

/** A photo of which a half comes, and then nothing. */
async function receiveHalf(rig: Rig, stack: Stack, { token }: Person, photo: Uint8Array): Promise<void> {
  const socket = connect(stack.port, '127.0.0.1')
  socket.on('error', () => undefined)
  rig.defer(() => socket.destroy())
  const head = `POST /api/cosnap/photos HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nContent-Length: ${photo.length}\r\n\r\n`
  socket.write(head)
  await new Promise<void>((resolve) => socket.write(photo.subarray(0, photo.length / 2), () => resolve()))
}

/** The view of activity would stay as it was when the transaction that holds the lock first looked. */
const untilSomebodyWaits = (admin: DatabaseClient): Promise<true> =>
  until('a row waits for the lock', async () => {
    const { rows } = await admin.query(
      "select 1 from pg_locks where not granted and relation = 'cosnap.photos'::regclass",
    )
    return rows.length > 0
  })

/** Lets what is of nobody become a day old, and has the sweep come that comes every ten minutes. Rows that it left. */
async function sweepADayLater(admin: DatabaseClient, files: readonly string[]): Promise<number> {
  const then = Date.now() / 1_000 - DAY_SECONDS
  for (const file of files) utimesSync(file, then, then)
  await admin.query(
    "update seaworthy.blobs set unused_since = now() - interval '25 hours' where unused_since is not null",
  )
  await admin.query("select graphile_worker.add_job('platform.sweep-media', job_key := 'proof')")
  await until('the sweep is over', async () => {
    const { rows } = await admin.query("select 1 from graphile_worker._private_jobs where key = 'proof'")
    return rows.length === 0
  })
  const { rows } = await admin.query('select 1 from seaworthy.blobs where unused_since is not null')
  return rows.length
}
