import type { Description } from '../../description/index.ts'
import { type Block, block } from './text.ts'

/** How finely requests can be divided between two releases on one host: a tenth each. */
const SLOTS = 10

/** The folder of the slots' links. */
const slotFolder = ({ name }: Pick<Description, 'name'>): string => `/srv/${name}/run`

/** The symbolic link to the Unix socket of the process that answers this share of the requests; from 0 on. */
export const slotSocket = (about: Pick<Description, 'name'>, slot: number): string =>
  `${slotFolder(about)}/slot-${slot}.sock`

/**
 * The part of a host's configuration that says who answers: ten links, asked in turn by all of nginx together. A deploy
 * renames links, and nginx connects anew for each request, so that from then on nobody asks the old release: no reload,
 * and no kept connection that still leads to it. A socket connects in microseconds.
 */
export const slotsUpstream = (about: Pick<Description, 'name'>): Block =>
  block('upstream web', [
    '# The turns of all of nginx together, so that one slot of ten is a tenth of the requests.',
    'zone web 64k',
    ...Array.from({ length: SLOTS }, (_, slot) => `server unix:${slotSocket(about, slot)} max_fails=0`),
  ])
