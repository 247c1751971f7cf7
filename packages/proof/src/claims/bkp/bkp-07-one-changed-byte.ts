import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineClaim, exactly } from '../../claim.ts'
import { openGuarded, segmentsIn } from '../../rig/recovery.ts'
import { patch } from '../../sabotage.ts'

export const claim = defineClaim({
  id: 'BKP-07',
  says: 'One changed byte in the copy of the database, in the log, in a record, in the kept files, in the key of the store or in the recovery kit is found and named before it is used, and the restore leaves nothing',
  answers: ['B8', 'B10', 'E11'],
  witness: 'restic and AES-256-GCM, on a store in which bytes were changed at random places',
  needs: ['restic'],
  tier: 'full',
  seconds: 40,
  limits: {
    'changed bytes that were restored': exactly(0, 'bytes'),
    'refusals that do not name what is damaged': exactly(0, 'refusals'),
    'directories left behind': exactly(0, 'directories'),
    'restores of the whole store that failed': exactly(0, 'restores'),
  },
  experiment: async (rig) => {
    const { admin, store, kit, backUp, archived, destroy, restore } = await openGuarded(rig)
    await backUp()
    await admin.query('create table public.steps as select i, md5(i::text) from generate_series(1, 1000) i')
    await archived()
    await destroy()
    const inStore = (path: string): string => join(store, path)
    const record = readdirSync(inStore('points')).find((name) => name.endsWith('.json')) ?? ''
    const point = record.replace('.json', '')
    const victims: readonly [path: string, name: string][] = [
      [largestPack(store), point],
      [inStore(segmentsIn(store).at(-1) ?? ''), segmentsIn(store).at(-1)?.slice(-24) ?? ''],
      [inStore(`points/${record}`), point],
      [inStore(`points/${point}.files`), `${point}.files`],
      [inStore('head.json'), 'head.json'],
      [inStore('store.json'), 'store.json'],
      [kit, 'kit'],
    ]
    const outcomes = []
    for (const [path, name] of victims) {
      const bytes = readFileSync(path)
      chmodSync(path, 0o600)
      writeFileSync(path, path === kit || name === 'store.json' ? changeCode(bytes) : changeByte(bytes, rig.random()))
      const { code, stderr, left } = await restore('latest')
      writeFileSync(path, bytes)
      outcomes.push({ name, code, left, isNamed: stderr.includes(name), said: stderr.trim().slice(-300) })
    }
    const whole = await restore('latest')
    return {
      measured: {
        'changed bytes that were restored': outcomes.filter(({ code }) => code === 0).length,
        'refusals that do not name what is damaged': outcomes.filter(({ code, isNamed }) => code !== 0 && !isNamed)
          .length,
        'directories left behind': outcomes.flatMap(({ left }) => left).length,
        'restores of the whole store that failed': whole.code === 0 ? 0 : 1,
      },
      met: { 'everything had a byte changed': outcomes.length === victims.length && point !== '' },
      evidence: outcomes.map(({ name, said }) => `${name}: ${said}`),
    }
  },
  sabotages: [
    patch(
      'what was sealed is opened without a look at its tag',
      'packages/platform/src/vault/stream.ts',
      'return Buffer.concat([decipher.update(box.subarray(0, -TAG_BYTES)), decipher.final()])',
      'return decipher.update(box.subarray(0, -TAG_BYTES))',
    ),
  ],
})

/** With what the database has in it: the other packs of restic only say where things are. */
function largestPack(store: string): string {
  const data = join(store, 'restic', 'data')
  const packs = readdirSync(data, { recursive: true, encoding: 'utf8' })
    .map((name) => join(data, name))
    .filter((path) => statSync(path).isFile())
  return packs.sort((a, b) => statSync(b).size - statSync(a).size)[0] ?? ''
}

function changeByte(bytes: Buffer, where: number): Buffer {
  const changed = Buffer.from(bytes)
  const at = Math.floor(where * bytes.length)
  changed[at] = (changed[at] ?? 0) ^ 1
  return changed
}

/** One letter of what is sealed in a text: of the code that is printed, or of the key that is wrapped. */
function changeCode(bytes: Buffer): Buffer {
  const text = bytes.toString()
  const start = text.includes('"box": "')
    ? text.indexOf('"box": "') + 60
    : text.indexOf('-----BEGIN KEY RING-----') + 100
  const at = /[A-Z0-9]/i.exec(text.slice(start))?.index ?? 0
  const letter = text[start + at] === 'A' ? 'B' : 'A'
  return Buffer.from(text.slice(0, start + at) + letter + text.slice(start + at + 1))
}
