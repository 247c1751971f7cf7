import { MINUTE } from '@seaworthy/core'
import { rate } from '../../definition/index.ts'

export const general = rate('operations.general', 300, 15 * MINUTE)
