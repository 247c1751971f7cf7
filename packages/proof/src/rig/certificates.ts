import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { DatabaseClient } from './database.ts'
import type { Rig } from './rig.ts'
import { until } from './wait.ts'

const run = promisify(execFile)
const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** Paths of PEM files. */
export interface Certificate {
  readonly certificate: string
  readonly key: string
}

/** A certificate authority of this experiment. The claim needs `openssl`. */
export interface Authority extends Certificate {
  /** @param names As openssl writes them: `DNS:localhost,IP:127.0.0.1` */
  sign(label: string, names: string): Promise<Certificate>
}

export async function makeAuthority(rig: Rig, label: string): Promise<Authority> {
  const openssl = rig.program('openssl')
  const directory = join(rig.scratch, 'certificates', label)
  mkdirSync(directory, { recursive: true })
  const files = (name: string): Certificate => ({
    certificate: join(directory, `${name}.pem`),
    key: join(directory, `${name}.key`),
  })
  const own = files('authority')
  const subject = ['-subj', `/CN=${label}`]
  await run(openssl, ['req', '-x509', '-days', '2', ...curve, ...subject, '-keyout', own.key, '-out', own.certificate])
  return {
    ...own,
    sign: async (name, names) => {
      const made = files(name)
      const request = join(directory, `${name}.csr`)
      const extension = join(directory, `${name}.ext`)
      writeFileSync(extension, `subjectAltName=${names}\n`)
      await run(openssl, ['req', ...curve, '-subj', `/CN=${name}`, '-keyout', made.key, '-out', request])
      const signer = ['-CA', own.certificate, '-CAkey', own.key, '-CAcreateserial', '-days', '2']
      await run(openssl, ['x509', '-req', '-in', request, ...signer, '-extfile', extension, '-out', made.certificate])
      return made
    },
  }
}

/** Whether PostgreSQL on this port shows the certificate to whoever connects now. */
async function isShown(rig: Rig, port: number, { certificate }: Certificate): Promise<boolean> {
  const asked = run(rig.program('openssl'), ['s_client', '-connect', `127.0.0.1:${port}`, '-starttls', 'postgres'])
  asked.child.stdin?.end()
  const { stdout } = await asked.catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }))
  return stdout.includes(readFileSync(certificate, 'utf8').trim())
}

/** From now on the server shows this certificate to whoever connects. */
export async function present(rig: Rig, admin: DatabaseClient, certificate: Certificate): Promise<void> {
  chmodSync(certificate.key, 0o600)
  await admin.query(`alter system set ssl_cert_file = '${certificate.certificate}'`)
  await admin.query(`alter system set ssl_key_file = '${certificate.key}'`)
  await admin.query('alter system set ssl = on')
  await admin.query('select pg_reload_conf()')
  await until('the server shows it', () => isShown(rig, admin.port, certificate))
}
