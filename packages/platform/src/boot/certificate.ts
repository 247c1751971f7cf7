import { SECOND, systemClock } from '@seaworthy/core'
import type { Config } from '../config/index.ts'
import { type KeptCertificate, keepCertificate } from '../http/index.ts'
import type { Telemetry } from './capabilities.ts'
import { tellSupervisor } from './child-link.ts'

/** Of a listener that speaks TLS itself, with what operators need to know about it. */
export async function openCertificate(
  { tlsCertFile, tlsKeyFile }: Config,
  { log, metrics, health }: Telemetry,
): Promise<KeptCertificate | undefined> {
  if (!tlsCertFile || !tlsKeyFile) return undefined
  const files = { certificate: tlsCertFile, key: tlsKeyFile }
  const kept = await keepCertificate(files, { clock: systemClock, log }).catch((error: unknown) => {
    tellSupervisor({ kind: 'fatal', message: (error as Error).message })
    throw error
  })
  metrics.gauge(
    'tls_certificate_expires_seconds',
    'Until the certificate of the web listener ends; below 0 it has.',
    () => (kept.current().expiresMs - systemClock.now()) / SECOND,
    'min',
  )
  health.add({ name: 'certificate', kind: 'nice', runbook: 'certificate-ends', check: async () => kept.refuseOld() })
  return kept
}
