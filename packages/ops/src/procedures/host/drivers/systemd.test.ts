import { describe, expect, it } from 'vitest'
import { askUnit, killUnit, readUnit, startUnit, stopUnit, unitOf } from './systemd.ts'

describe('releases as units of systemd', () => {
  const unit = unitOf('seaworthy', 'abcdef123456-0a1b2c3d')

  it('are instances of one template', () => {
    expect(unit).toBe('seaworthy@abcdef123456-0a1b2c3d.service')
  })

  it('come back with the machine, and are not waited for: the procedure has its own deadlines', () => {
    expect(startUnit(unit)).toEqual(['systemctl', 'enable', '--now', '--no-block', unit])
    expect(stopUnit(unit)).toEqual(['systemctl', 'disable', '--now', '--no-block', unit])
    expect(killUnit(unit)).toEqual(['systemctl', 'kill', '--signal=SIGKILL', unit])
  })

  it('are asked in the form that programs read', () => {
    expect(askUnit(unit)).toEqual(['systemctl', 'show', '--property=ActiveState', '--value', unit])
    expect(readUnit(unit)).toEqual(['journalctl', '--no-pager', '--lines=40', '--output=cat', `--unit=${unit}`])
  })
})
