import { cosnap } from '@seaworthy/cosnap/app'
import type { Consent } from '@seaworthy/platform/consent'
import type { Database } from '@seaworthy/platform/data'
import type { OpenFlags } from '@seaworthy/platform/flags'
import {
  auditApp,
  batchApp,
  identityApp,
  operationsApp,
  type PrivacyParts,
  privacyApp,
  uploadsApp,
  vaultApp,
} from '@seaworthy/platform/http'
import type { Identity } from '@seaworthy/platform/identity'
import type { Guard } from '@seaworthy/platform/limits'
import type { Vault } from '@seaworthy/platform/vault'

/** The definitions of everything that is served, with nothing behind them: tests are made from what they say. */
export const allApps = [
  cosnap,
  identityApp({} as Identity, {} as Guard, { refreshMs: 1, secure: false, scopes: [], publicUrl: 'http://localhost' }),
  operationsApp({
    database: {} as Database,
    identity: {} as Identity,
    flags: {} as OpenFlags,
    apps: [],
    deliversMail: false,
  }),
  uploadsApp(),
  vaultApp({} as Vault),
  batchApp(),
  auditApp({} as Database),
  privacyApp({ consents: [] as readonly Consent[] } as PrivacyParts),
]
