import { Button } from '@seaworthy/ui'
import { Trash2 } from 'lucide-react'
import { useState } from 'react'
import { EraseQuestion } from './erase-question.tsx'

/** The end: what goes, what stays and why, before anything is asked. */
export function EraseAccount() {
  const [asking, setAsking] = useState(false)
  return (
    <section className="setting" aria-labelledby="erase">
      <div>
        <h2 id="erase">Delete my account and data</h2>
        <p className="soft">At once and for good: nobody can bring it back, we neither.</p>
      </div>
      <div className="card form wide">
        <div className="fates">
          <div>
            <h3>What goes</h3>
            <ul className="points">
              <li>your address, password, passkeys, sign-ins and API keys</li>
              <li>everything that you uploaded, and everything made of it</li>
              <li>credits that you have not spent</li>
              <li>accounts that nobody else belongs to, with everything in them</li>
            </ul>
          </div>
          <div>
            <h3>What stays, and why</h3>
            <ul className="points">
              <li>what was paid and spent, without your name: the law asks for the books</li>
              <li>activity, under a number that is nobody's any more, until its time is over</li>
              <li>that this number was erased, so that an older copy of the data does not bring you back</li>
              <li>backups that the operator made, until they expire; when one is used, you are erased again</li>
            </ul>
          </div>
        </div>
        <div className="row">
          <Button kind="danger" icon={<Trash2 size={18} />} onClick={() => setAsking(true)}>
            Delete my account
          </Button>
        </div>
      </div>
      {asking && <EraseQuestion onClose={() => setAsking(false)} />}
    </section>
  )
}
