import { describe, expect, it } from 'vitest'
import { system } from '../../../../../../seaworthy.config.ts'
import { describe as describeSystem, sumOf } from '../../../description/index.ts'
import { hardened, limits, ours } from '../../../targets/compose/processes.ts'
import { type ContainerWords, commandWords, startWords } from './words.ts'

const about = describeSystem(system, '1.0.0')
const words: ContainerWords = {
  kind: 'podman',
  about,
  name: 'boat-image-0a1b2c',
  image: 'sha256:0a1b2c',
  user: { uid: 10_001, gid: 33, isMapped: false },
  network: { name: 'boat', gateway: '10.89.0.1', isInternal: true },
  envFile: '/srv/boat/run/image-0a1b2c.settings',
  mounts: [{ from: '/srv/boat/shared/secrets/KEY', to: '/run/secrets/KEY', mayWrite: false }],
  labels: {},
  ceiling: { cpus: 2, openFiles: 1_024, processes: 4_096 },
}
/** Values of an option, in their order. */
const given = (all: readonly string[], option: string): string[] => all.filter((_, at) => all[at - 1] === option)

describe('what an engine is told', () => {
  it.each([
    ['a release', startWords(words), limits(sumOf(about.sizes.host))],
    ['a command', commandWords(words, ['migrate']), limits(about.neighbours.migrate)],
  ])('for %s is what the compose file says', (_what, all, { mem_limit, pids_limit }) => {
    expect(all.includes('--read-only')).toBe(hardened.read_only)
    expect(given(all, '--cap-drop')).toEqual(hardened.cap_drop)
    expect(given(all, '--security-opt')).toEqual(hardened.security_opt)
    expect(given(all, '--tmpfs')).toEqual(ours.tmpfs)
    expect(given(all, '--memory')).toEqual([mem_limit])
    expect(given(all, '--pids-limit')).toEqual([String(pids_limit)])
    expect(given(all, '--publish')).toEqual([])
    expect(all).not.toContain('--privileged')
  })

  it('is no more than this machine has', () => {
    expect(given(startWords(words), '--cpus')).toEqual(['2'])
    expect(given(startWords(words), '--ulimit')).toEqual(['nofile=1024:1024', 'nproc=4096:4096'])
    expect(given(startWords({ ...words, kind: 'docker' }), '--ulimit')).toEqual(['nofile=65536:65536'])
  })

  it('names a numeric user, also where podman is not root’s', () => {
    expect(given(startWords(words), '--user')).toEqual(['10001:33'])
    const mapped = startWords({ ...words, user: { uid: 997, gid: 997, isMapped: true } })
    expect([given(mapped, '--user'), given(mapped, '--userns')]).toEqual([
      ['10001:10001'],
      ['keep-id:uid=10001,gid=10001'],
    ])
  })

  it('bounds what is kept of a log, and starts a release again when it ends by itself', () => {
    for (const kind of ['podman', 'docker'] as const) {
      const all = startWords({ ...words, kind })
      expect(given(all, '--log-opt')).toContain('max-size=10m')
      expect(given(all, '--restart')).toEqual(['always'])
    }
    expect(given(commandWords(words, ['migrate']), '--restart')).toEqual([])
  })

  it('lets a container call this host by name, and see files that it must not change', () => {
    const all = startWords(words)
    expect(given(all, '--add-host')).toContain('host.containers.internal:10.89.0.1')
    expect(given(all, '--volume')).toEqual(['/srv/boat/shared/secrets/KEY:/run/secrets/KEY:ro'])
  })
})
