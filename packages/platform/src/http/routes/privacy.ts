import { type Caller, DAY, fault } from '@seaworthy/core'
import { z } from 'zod'
import type { Consent } from '../../consent/index.ts'
import { defineApp, fileReply, rate, route } from '../../definition/index.ts'
import {
  countKept,
  type ErasureParts,
  type ExportParts,
  erasePerson,
  exportPerson,
  findPerson,
  type Kept,
} from '../../privacy/index.ts'
import { consentRoutes } from './consents.ts'

const MINUTES_15 = 15 * 60_000
/** Each asks for the password, so each is a chance to guess it. */
const limit = rate('privacy.person', 5, MINUTES_15, { setting: 'rateAuthMax' })
const reads = rate('privacy.reads', 100, MINUTES_15, { setting: 'rateMax' })
const password = z.string().max(128)

export interface PrivacyParts extends ErasureParts, ExportParts {
  /** Of all apps. */
  readonly consents: readonly Consent[]
  /** Throws `wrong_credentials`. */
  readonly confirmPassword: (caller: Caller, password: string) => Promise<unknown>
  /** How long what goes by itself is kept, in milliseconds, by the name that the export gives it. */
  readonly keptMs: Readonly<Record<string, number>>
}

/** What somebody may ask about themselves: everything that is kept, that it is removed, and what they agreed to. */
export const privacyApp = (parts: PrivacyParts) =>
  defineApp({
    name: 'privacy',
    title: 'Your data',
    peopleOnly: true,
    routes: [listKept(parts), exportOwn(parts), eraseOwn(parts), ...consentRoutes(parts.consents)],
  })

const listKept = (parts: PrivacyParts) =>
  route({
    name: 'privacy.kept',
    method: 'GET',
    path: '/kept',
    summary: 'What is kept about you: how much of each kind, and for how long',
    auth: 'viewer',
    limit: reads,
    transaction: 'none',
    reply: {
      200: z.object({
        items: z.array(
          z.object({
            /** As the file in the export is called. */
            name: z.string(),
            rows: z.number().int(),
            /** There are more than `rows`. */
            more: z.boolean(),
            /** Of files. */
            bytes: z.number().nullable(),
            /** After the end of what it is about. Null: until you remove it, or yourself. */
            days: z.number().nullable(),
          }),
        ),
      }),
    },
    handle: async ({ caller }) => {
      const person = await findPerson(parts.database, { userId: caller.userId })
      if (!person) throw fault('not_found')
      const kept = await countKept(parts, person)
      return { status: 200, body: { items: kept.map((one) => withDays(one, parts.keptMs[one.name])) } }
    },
  })

const withDays = ({ bytes, ...kept }: Kept, ms: number | undefined) => ({
  ...kept,
  bytes: bytes ?? null,
  days: ms === undefined ? null : Math.round(ms / DAY),
})

const exportOwn = (parts: PrivacyParts) =>
  route({
    name: 'privacy.export',
    method: 'POST',
    path: '/export',
    summary: 'Everything that is kept about you, as a ZIP archive',
    auth: 'viewer',
    limit,
    transaction: 'none',
    body: z.strictObject({ password }),
    reply: { 200: fileReply('application/zip') },
    errors: ['wrong_credentials'],
    audit: 'person_export',
    security: true,
    handle: async ({ caller, body }) => {
      await parts.confirmPassword(caller, body.password)
      const person = await findPerson(parts.database, { userId: caller.userId })
      if (!person) throw fault('not_found')
      const chunks = exportPerson(parts, person)
      return {
        status: 200,
        body: { type: 'application/zip', name: 'your-data.zip', chunks },
        resource: caller.userId,
      }
    },
  })

const eraseOwn = (parts: PrivacyParts) =>
  route({
    name: 'privacy.erase',
    method: 'POST',
    path: '/erase',
    summary:
      'Remove your account and everything in it, at once and for good; what was paid stays in the ledger, without you',
    auth: 'viewer',
    limit,
    transaction: 'none',
    body: z.strictObject({ password, confirm: z.literal('erase everything') }),
    reply: { 204: z.undefined() },
    errors: ['wrong_credentials', 'conflict'],
    audit: 'person_erase',
    security: true,
    handle: async ({ caller, body }) => {
      await parts.confirmPassword(caller, body.password)
      await erasePerson(parts, caller.userId)
      return { status: 204, body: undefined, headers: { 'clear-site-data': '"*"' }, resource: caller.userId }
    },
  })
