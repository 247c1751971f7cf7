import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { DAY } from '@seaworthy/core'
import { readCertificateDays } from '../../host/certificate.ts'
import { bad, type Finding, good, none, unknown, warn } from '../finding.ts'
import { settingsOf } from '../installation.ts'
import type { Check } from './check.ts'

const DAYS_WARN = 14
const DAYS_BAD = 3

/** The one in the files, or what a proxy in front shows. */
export const certificate: Check = {
  title: 'certificate',
  look: async (here) => {
    const { tlsCertFile, publicUrl } = settingsOf(here)
    if (tlsCertFile) {
      try {
        const { validTo } = new X509Certificate(readFileSync(tlsCertFile))
        return judge(Math.floor((Date.parse(validTo) - Date.now()) / DAY), tlsCertFile)
      } catch (error) {
        return bad(`${tlsCertFile} cannot be read: ${(error as Error).message}`, 'seaworthy runbook certificate-ends')
      }
    }
    if (!publicUrl.startsWith('https:')) return none('PUBLIC_URL is http: there is none')
    const days = await readCertificateDays(publicUrl).catch(() => undefined)
    return days === undefined
      ? unknown(`nothing shows a certificate at ${publicUrl}`, 'nginx -t && systemctl status nginx')
      : judge(days, publicUrl)
  },
}

function judge(days: number, where: string): Finding {
  const found = days < 0 ? `${where} ended ${-days} days ago` : `${where} is good for ${days} more days`
  if (days < DAYS_BAD) return bad(found, 'seaworthy runbook certificate-ends')
  return days < DAYS_WARN ? warn(found, 'seaworthy runbook certificate-ends') : good(found)
}
