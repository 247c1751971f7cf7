import { expect, it } from 'vitest'
import { system } from '../../../../../seaworthy.config.ts'
import { describe as describeSystem } from '../../description/index.ts'
import { railway } from './railway.ts'

it('prepares the database first, asks whether it is ready, and lets the old release finish', () => {
  const description = describeSystem(system, '1.0.0')
  const [file] = railway.render(description)
  const { deploy } = JSON.parse(file?.text ?? '')
  expect(deploy.preDeployCommand).toEqual([expect.stringMatching(/seaworthy\.js migrate$/)])
  expect(deploy.healthcheckPath).toBe(description.probes.ready)
  expect(deploy.drainingSeconds).toBe(description.shutdownSeconds)
})
