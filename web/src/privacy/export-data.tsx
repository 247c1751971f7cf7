import { ApiError } from '@seaworthy/client'
import { Button, Failure, Field, useService } from '@seaworthy/ui'
import { FileDown } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { Downloading, useDownload } from '../download.tsx'

/** Everything, in one archive. The password each time: whoever has this file has everything. */
export function ExportData() {
  const { http } = useService()
  const [password, setPassword] = useState('')
  const download = useDownload()
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const body = { password }
    download.mutate(
      { ask: (how) => http.POST('/api/privacy/export', { body, ...how }), name: 'your-data.zip' },
      { onSuccess: () => setPassword('') },
    )
  }
  const isWrong = download.error instanceof ApiError && download.error.problem.code === 'wrong_credentials'
  return (
    <section className="setting" aria-labelledby="export">
      <div>
        <h2 id="export">Export my data</h2>
        <p className="soft">
          A ZIP archive with all of it: your files as they are, and everything else as text that programs can read too.
        </p>
      </div>
      <form className="card form wide" onSubmit={submit}>
        {download.error && !isWrong && <Failure error={download.error} />}
        {download.isPending ? (
          <Downloading of={download} label="Export" />
        ) : (
          <>
            <Field
              label="Your password"
              type="password"
              autoComplete="current-password"
              required
              maxLength={128}
              value={password}
              onChange={(event) => setPassword(event.target.value)}
              fault={isWrong ? 'That is not your password.' : undefined}
              hint="Whoever has this file has everything, so we ask who is there."
            />
            <div className="row">
              <Button type="submit" icon={<FileDown size={18} />}>
                Download my data
              </Button>
            </div>
          </>
        )}
      </form>
    </section>
  )
}
