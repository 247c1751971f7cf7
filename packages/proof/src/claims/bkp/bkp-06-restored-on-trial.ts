import { atLeast, atMost, defineClaim, exactly } from '../../claim.ts'
import { askOperator, damages, prepareDamage, tracesOf, tryDamages, watchDrill } from '../../rig/drill.ts'
import { jpegPhoto, uploadPhoto } from '../../rig/photo.ts'
import { keepProviderKey, randomSecret } from '../../rig/provider-keys.ts'
import { openGuarded } from '../../rig/recovery.ts'
import { patch } from '../../sabotage.ts'

const DRILL_SECONDS_MAX = 20
const LOSS_SECONDS_MAX = 10

export const claim = defineClaim({
  id: 'BKP-06',
  says: 'A drill restores a recovery point where it sees nothing but the store and the keys, looks through every index, adds up the ledger, compares files, opens sealed values, follows the audit, finds a row that was acknowledged before, starts the service on it and uses it: in 20 s for a small installation, and no point that is not well is called verified',
  answers: ['B8', 'B10', 'Z5'],
  witness: 'PostgreSQL amcheck; what the kernel shows of the processes of a drill; damage made by an administrator',
  needs: ['restic'],
  tier: 'full',
  seconds: 60,
  alone: true,
  limits: {
    'sound points that did not pass': exactly(0, 'points'),
    'damaged points that passed': exactly(0, 'points'),
    'damaged points that are called verified': exactly(0, 'points'),
    'reports that do not name the damage': exactly(0, 'reports'),
    'alarms that are silent': exactly(0, 'alarms'),
    'time of a drill': atMost(DRILL_SECONDS_MAX, 's'),
    'time until it serves again': atMost(DRILL_SECONDS_MAX, 's'),
    'writing that a lost disk costs': atMost(LOSS_SECONDS_MAX, 's'),
    'steps of journeys': atLeast(5, 'steps'),
    'files of the installation that a drill sees': exactly(0, 'files'),
    'things left behind': exactly(0, 'things'),
  },
  experiment: async (rig) => {
    const guarded = await openGuarded(rig, { WORKER_PROCESSES: '1' })
    const { stack, admin, backUp } = guarded
    const person = await stack.newcomer()
    await uploadPhoto(person, await jpegPhoto())
    await keepProviderKey(person, 'images', randomSecret(rig.random))
    await prepareDamage(admin)
    await backUp()
    const before = tracesOf(stack.dataDirectory)
    const watching = watchDrill(stack.dataDirectory)
    const sound = await guarded.drill()
    const seen = watching.end()
    const whole = await askOperator(guarded)
    const damaged = await tryDamages(guarded)
    const after = await askOperator(guarded)
    const { report } = sound
    return {
      measured: {
        'sound points that did not pass': Number(sound.code !== 0),
        'damaged points that passed': damaged.filter(({ code }) => code === 0).length,
        'damaged points that are called verified': Number(after.isVerified),
        'reports that do not name the damage': damaged.filter(({ isNamed }) => !isNamed).length,
        'alarms that are silent': Number(!after.isAlarmed),
        'time of a drill': report?.tookSeconds ?? Number.POSITIVE_INFINITY,
        'time until it serves again': report?.rtoSeconds ?? Number.POSITIVE_INFINITY,
        'writing that a lost disk costs': report?.rpoSeconds ?? Number.POSITIVE_INFINITY,
        'steps of journeys': report?.journeys.length ?? 0,
        'files of the installation that a drill sees': seen.files.size,
        'things left behind': tracesOf(stack.dataDirectory).filter((trace) => !before.includes(trace)).length,
      },
      met: {
        'the drill was seen from outside': seen.looks > 0,
        'there was something of each kind to ask': Object.values(report?.checked ?? { nothing: 0 }).every(
          (count) => count > 0,
        ),
        'it was called verified before': whole.isVerified,
        'everything was damaged once': damaged.length === damages.length,
      },
      evidence: [
        JSON.stringify(report?.seconds),
        ...damaged.map(({ name, problem }) => `${name}: ${problem}`),
        ...[...seen.files].slice(0, 3),
      ],
    }
  },
  sabotages: [
    patch(
      'no index is looked through',
      'packages/platform/src/recovery/check-restored.ts',
      "'select bt_index_check($1::regclass, true)'",
      "'select $1::regclass'",
    ),
    patch(
      'a file that is missing is passed over',
      'packages/platform/src/recovery/check-restored.ts',
      'if (!isThere && used)',
      "if (!isThere && used && hash === '')",
    ),
    patch(
      'nobody asks whether sealed values open',
      'packages/platform/src/recovery/drill/check-more.ts',
      'if (unreadable.length)',
      'if (unreadable.length > 1_000)',
    ),
    patch(
      'the ledger is not added up',
      'packages/platform/src/recovery/check-restored.ts',
      "throw new Error('The ledger of the restored database does not add up.')",
      'return Number(lines)',
    ),
    patch(
      'the audit is not followed',
      'packages/platform/src/recovery/drill/check-more.ts',
      'const first = faults.find(',
      'const first = faults.slice(0, 0).find(',
    ),
    patch(
      'what did not pass is called verified',
      'packages/platform/src/recovery/drill/drill.ts',
      "ended.isUntried ? 'unknown' : 'failed'",
      "'passed'",
    ),
    patch(
      'a drill sees the data of the installation',
      'packages/cli/src/drill.ts',
      'new Set([dataDirectory, join(',
      'new Set([join(',
    ),
    patch(
      'nobody uses what was restored',
      'packages/cli/src/drill-use.ts',
      'await walkJourneys({ socket }, (line) =>',
      'await Promise.resolve(walkJourneys).then(() => (line: string) =>',
    ),
  ],
})
