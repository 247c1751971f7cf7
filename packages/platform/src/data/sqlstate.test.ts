import { expect, it } from 'vitest'
import { translateDatabaseError } from './sqlstate.ts'

const from = (code: string, message: string): unknown =>
  translateDatabaseError(Object.assign(new Error(message), { code }))

it.each([
  ['25006', 'cannot execute INSERT in a read-only transaction', 'unavailable'],
  ['42501', 'could not open file "base/16384/16538": Read-only file system', 'unavailable'],
  ['53100', 'could not extend file "base/16384/16633": No space left on device', 'storage_full'],
  ['58030', 'could not fdatasync file "00000001000000000000000E": Input/output error', 'storage_full'],
])('answers that the service is not to be had when the disk is at fault: %s %s', (code, message, meaning) => {
  expect(from(code, message)).toMatchObject({ code: meaning, status: 503 })
})

it('leaves a missing right what it is: a mistake of ours', () => {
  expect(from('42501', 'permission denied for table runs')).not.toHaveProperty('status')
})
