import { z } from 'zod'
import { channel } from './channel.ts'

/** Every change of every job of the account: written by a trigger, so that no path that changes a job can forget it. */
export const jobsChannel = channel({
  name: 'platform.jobs',
  auth: 'viewer',
  event: z.object({
    jobId: z.string(),
    state: z.enum(['waiting', 'running', 'done', 'dead', 'cancelled']),
    progress: z.number(),
    /** Jobs of everybody that run first. */
    ahead: z.number(),
  }),
})
