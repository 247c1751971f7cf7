import { dataMistakes } from './data.ts'
import { inputMistakes } from './input.ts'
import type { WreckMistake } from './mistake.ts'
import { trustMistakes } from './trust.ts'
import { webMistakes } from './web.ts'

/** Everything that the wreck does wrong. */
export const mistakes: readonly WreckMistake[] = [...webMistakes, ...inputMistakes, ...trustMistakes, ...dataMistakes]

export type { WreckMistake } from './mistake.ts'
