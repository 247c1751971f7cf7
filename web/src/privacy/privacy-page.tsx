import '../settings/settings.css'
import { Consents } from './consents.tsx'
import { EraseAccount } from './erase-account.tsx'
import { ExportData } from './export-data.tsx'
import { KeptList } from './kept-list.tsx'
import './privacy.css'

/** What is kept about somebody, theirs to take along and to remove. */
export function PrivacyPage() {
  return (
    <div className="page narrow settings">
      <h1>Your data</h1>
      <KeptList />
      <Consents />
      <ExportData />
      <EraseAccount />
    </div>
  )
}
