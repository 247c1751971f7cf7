import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { atMost, defineClaim, exactly } from '../../claim.ts'
import { renderTo } from '../../rig/rendered-nginx.ts'
import { runProgram } from '../../rig/run-program.ts'
import { patch } from '../../sabotage.ts'

export const claim = defineClaim({
  id: 'DEP-12',
  says: 'systemd has no complaint about the rendered units, and what they leave open to whoever breaks in is little',
  answers: ['X12'],
  witness: 'systemd-analyze verify, systemd-analyze security',
  needs: ['systemd-analyze'],
  tier: 'full',
  seconds: 4,
  limits: {
    'complaints of systemd-analyze verify': exactly(0, 'complaints'),
    'highest exposure of a unit': atMost(1.5, 'of 10'),
  },
  experiment: async (rig) => {
    const folder = join(await renderTo(rig, 'systemd'), 'systemd')
    const units = readdirSync(folder).map((name) => join(folder, name))
    const analyze = rig.program('systemd-analyze')
    const verified = await runProgram(analyze, ['verify', '--man=no', ...units])
    // It also speaks of units of the machine itself.
    const complaints = verified.stderr.split('\n').filter((line) => line.includes('seaworthy'))
    const levels: number[] = []
    for (const unit of units) {
      const { stdout } = await runProgram(analyze, ['security', '--offline=yes', '--no-pager', unit])
      levels.push(Number(/exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1]))
    }
    return {
      measured: {
        'complaints of systemd-analyze verify': complaints.length,
        'highest exposure of a unit': Math.max(...levels),
      },
      met: { 'every unit was looked at': levels.length === 2 && levels.every((level) => level > 0) },
      evidence: [...complaints, ...units.map((unit, i) => `${unit.split('/').at(-1)}: ${levels[i]}`)],
    }
  },
  sabotages: [
    patch(
      'a release may gain every capability',
      'packages/ops/src/targets/systemd/hardening.ts',
      "['CapabilityBoundingSet', ''],",
      '',
    ),
    patch(
      'a directive is misspelled',
      'packages/ops/src/targets/systemd/hardening.ts',
      "['LockPersonality', 'yes'],",
      "['LockPersonalty', 'yes'],",
    ),
  ],
})
