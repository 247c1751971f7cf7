import { readConfig } from '../../config/index.ts'
import { openKeyRing } from '../../vault/index.ts'
import { backUp } from '../back-up.ts'
import { findRestic } from '../drivers/restic.ts'
import { placesOf, shelvesOf } from '../places.ts'
import { restore } from '../restore.ts'
import { parseTarget, planRestore } from '../restore-plan.ts'
import { openStore } from '../store.ts'

/**
 * `once.ts backup DATA STORE STEP PORT`, `once.ts beside DATA STORE STEP DIRECTORY`, `once.ts in-place DATA STORE STEP`:
 * a backup or a restore that is killed when it begins this step.
 */
const [what = '', dataDirectory = '', store = '', killAt = '', more = ''] = process.argv.slice(2)
const config = readConfig(dataDirectory, { DATA_DIR: dataDirectory, BACKUP_STORES: store })
const ring = openKeyRing(config)
const restic = findRestic(undefined)
const tell = (step: string): void => {
  if (step === killAt) process.kill(process.pid, 'SIGKILL')
}
if (what === 'backup') {
  await backUp({
    config,
    endpoint: { host: '127.0.0.1', port: Number(more), database: 'seaworthy', tls: 'off' },
    admin: { user: 'seaworthy_admin', password: 'only for tests' },
    ring,
    shelves: shelvesOf(config),
    places: placesOf(dataDirectory),
    restic,
    release: { version: '1.0.0', commit: 'test' },
    tell,
  })
} else {
  const [shelf] = shelvesOf(config)
  const opened = shelf && (await openStore(shelf, ring))
  if (!opened) throw new Error('there is no store')
  const keys = [config.secrets.encryptionKey] as const
  await restore({
    plan: await planRestore(opened, parseTarget('latest')),
    destination: what === 'in-place' ? { kind: 'in place', dataDirectory } : { kind: 'beside', directory: more, keys },
    ring,
    restic,
    tell,
  })
}
