import { Skeleton, useSession } from '@seaworthy/ui'
import { Address } from './address.tsx'
import { ApiKeys } from './api-keys.tsx'
import { Authenticator } from './authenticator.tsx'
import { Devices } from './devices.tsx'
import { Passkeys } from './passkeys.tsx'
import { Password } from './password.tsx'
import { useSensitive } from './sensitive.tsx'
import { useWhole } from './use-whole.ts'
import './settings.css'

/** What keeps others out of one's account. */
export function SecurityPage() {
  const { user } = useSession()
  const sensitive = useSensitive()
  const managesKeys = user?.role === 'owner' || user?.role === 'admin'
  const isWhole = useWhole()
  return (
    <div className="page narrow settings" aria-busy={!isWhole}>
      <h1>Security</h1>
      {!isWhole && <Skeleton shape="panel" />}
      <div className="settings-parts" hidden={!isWhole}>
        <Devices sensitive={sensitive} />
        <Address sensitive={sensitive} />
        <Password />
        <Passkeys sensitive={sensitive} />
        <Authenticator sensitive={sensitive} />
        {managesKeys && <ApiKeys sensitive={sensitive} />}
      </div>
      {sensitive.question}
    </div>
  )
}
