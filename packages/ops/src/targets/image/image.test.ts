import { describe, expect, it } from 'vitest'
import { system } from '../../../../../seaworthy.config.ts'
import { describe as describeSystem } from '../../description/index.ts'
import { image } from './image.ts'

const files = image.render(describeSystem(system, '1.2.3'))
const textOf = (path: string): string => files.find((file) => file.path === path)?.text ?? ''
/** Instructions of the last stage. */
const last = textOf('deploy/Dockerfile').split('FROM scratch')[1]?.split('\n') ?? []
const line = (instruction: string): string => last.find((text) => text.startsWith(`${instruction} `)) ?? ''

describe('image', () => {
  it('begins empty: nothing of what builds it is in it', () => {
    expect(last.filter((text) => text.startsWith('COPY')).every((text) => text.includes('--from=contents'))).toBe(true)
    expect(last.some((text) => text.startsWith('RUN'))).toBe(false)
  })

  it('runs as a number, asks for its health without a shell, and ends by SIGTERM', () => {
    expect(line('USER')).toMatch(/^USER [1-9]\d*:[1-9]\d*$/)
    expect(last.join('\n')).toContain('CMD ["node", "packages/cli/bin/seaworthy.js", "health"]')
    expect(line('ENTRYPOINT')).toBe('ENTRYPOINT ["node", "packages/cli/bin/seaworthy.js"]')
    expect(line('STOPSIGNAL')).toBe('STOPSIGNAL SIGTERM')
  })

  it('says what it is in the labels that registries read', () => {
    const labels = [...last.join('\n').matchAll(/org\.opencontainers\.image\.([a-z.]+)="([^"]+)"/g)].map(
      ([, name]) => name,
    )
    expect(labels.sort()).toEqual(
      ['base.name', 'created', 'description', 'licenses', 'revision', 'source', 'title', 'version'].sort(),
    )
    expect(last.join('\n')).toContain('image.version="1.2.3"')
  })

  it('runs no install scripts, and invents no digest', () => {
    expect(textOf('deploy/Dockerfile')).toContain('npm ci --ignore-scripts')
    expect(textOf('deploy/Dockerfile')).not.toMatch(/@sha256:[0-9a-f]/)
    expect(textOf('deploy/Dockerfile')).not.toMatch(/:latest/)
  })

  it('is built of what is listed only: no history, settings, secrets or data of a checkout', () => {
    const rules = textOf('.dockerignore').split('\n')
    expect(rules.find((rule) => rule && !rule.startsWith('#'))).toBe('*')
    expect(rules).toContain('**/.env*')
    expect(rules.filter((rule) => /^!(\.git|deploy|\.env|\*)/.test(rule))).toEqual([])
  })
})
