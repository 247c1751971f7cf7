import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { type Clock, DAY, pause, SECOND } from '@seaworthy/core'
import type { Logger } from '../telemetry/index.ts'

export interface CertificateFiles {
  readonly certificate: string
  readonly key: string
}

/** A certificate with its key, which belong together. */
export interface CertificatePair {
  readonly cert: string
  readonly key: string
  readonly expiresMs: number
}

/** The certificate of a listener, and those that follow it. */
export interface KeptCertificate {
  /** The one that new connections are shown. */
  current(): CertificatePair
  /** Calls back with each later one until stopped. */
  watch(onRenewed: (pair: CertificatePair) => void): () => void
  /** For health: throws when it ends within a fortnight. */
  refuseOld(): void
}

/**
 * Looked at again and again instead of watched: a watch holds on to a file that was renamed away, and sees nothing where
 * a directory behind a link is exchanged, as Kubernetes does with secrets.
 */
const LOOK_MS = 5 * SECOND
const DAYS_MIN = 14

/** Throws with words when the files cannot be read, or do not belong together. */
export async function keepCertificate(
  files: CertificateFiles,
  { clock, log, lookMs = LOOK_MS }: { readonly clock: Clock; readonly log: Logger; readonly lookMs?: number },
): Promise<KeptCertificate> {
  let seen = await stampOf(files)
  let current = await readPair(files)
  const look = async (onRenewed: (pair: CertificatePair) => void): Promise<void> => {
    const stamp = await stampOf(files)
    if (stamp === seen) return
    const pair = await readPair(files)
    // Only now: of two files that are renewed one after the other, the first alone fits to nothing.
    seen = stamp
    if (pair.cert === current.cert && pair.key === current.key) return
    current = pair
    onRenewed(pair)
    log.info('a renewed certificate is shown from now on', { until: new Date(pair.expiresMs).toISOString() })
  }
  return {
    current: () => current,
    watch: (onRenewed) => {
      const stopped = new AbortController()
      void (async () => {
        let isTold = false
        for (; !stopped.signal.aborted; await pause(lookMs, stopped.signal))
          await look(onRenewed).then(
            () => {
              isTold = false
            },
            (error: unknown) => {
              if (!isTold)
                log.warn('the certificate files have changed and cannot be used yet; the last one stays', {
                  runbook: 'certificate-ends',
                  error,
                })
              isTold = true
            },
          )
      })()
      return () => stopped.abort()
    },
    refuseOld: () => {
      const days = Math.floor((current.expiresMs - clock.now()) / DAY)
      if (days >= DAYS_MIN) return
      const when = days < 0 ? 'has ended' : `ends in ${days} days`
      throw new Error(`the certificate in ${files.certificate} ${when}; HINT: renew it`)
    },
  }
}

/** Changes whenever one of the two is another file, or another content, behind however many links. */
async function stampOf({ certificate, key }: CertificateFiles): Promise<string> {
  const found = await Promise.all([certificate, key].map((path) => stat(path, { bigint: true }).catch(() => undefined)))
  return found
    .map((file) => (file ? `${file.dev} ${file.ino} ${file.size} ${file.mtimeNs} ${file.ctimeNs}` : 'none'))
    .join()
}

async function readPair(files: CertificateFiles): Promise<CertificatePair> {
  const [cert, key] = await Promise.all([
    readText(files.certificate, 'TLS_CERT_FILE'),
    readText(files.key, 'TLS_KEY_FILE'),
  ])
  const parsed = parse(files.certificate, 'TLS_CERT_FILE', () => new X509Certificate(cert))
  const secret = parse(files.key, 'TLS_KEY_FILE', () => createPrivateKey(key))
  if (!parsed.checkPrivateKey(secret))
    throw new Error(
      `The key in ${files.key} is not that of the certificate in ${files.certificate}.\n    HINT: the certificate must be the first in its file, with those of its authority behind it.`,
    )
  return { cert, key, expiresMs: Date.parse(parsed.validTo) }
}

async function readText(path: string, setting: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new Error(`${setting} cannot be read: ${(cause as Error).message}.\n    HINT: ls -l "${path}"`, { cause })
  }
}

function parse<T>(path: string, setting: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw new Error(`${setting} is no PEM: ${path}.\n    HINT: openssl x509 -in "${path}" -noout -text`, { cause })
  }
}
