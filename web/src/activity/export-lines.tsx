import { Button, Failure, useService } from '@seaworthy/ui'
import { FileDown } from 'lucide-react'
import { Downloading, useDownload } from '../download.tsx'
import { type Filters, toQuery } from './filters.ts'

const formats = [
  { format: 'csv', label: 'CSV', hint: 'for a spreadsheet' },
  { format: 'jsonl', label: 'JSON', hint: 'for programs' },
] as const

/** The lines that are chosen, as a file. What happens by itself is in it too. */
export function ExportLines({ filters, isAdmin }: { readonly filters: Filters; readonly isAdmin: boolean }) {
  const { http } = useService()
  const download = useDownload()
  const save = (format: 'csv' | 'jsonl'): void =>
    download.mutate({
      ask: (how) => http.GET('/api/audit/export', { params: { query: { ...toQuery(filters), format } }, ...how }),
      name: `activity.${format}`,
    })
  return (
    <section className="setting" aria-labelledby="export">
      <div>
        <h2 id="export">Export</h2>
        <p className="soft">
          {Object.keys(filters).length === 0 ? 'Every line of this account' : 'Every line that fits what you chose'},
          also what happens by itself, such as a sign-in that goes on.
        </p>
      </div>
      {download.error && <Failure error={download.error} />}
      {download.isPending ? (
        <Downloading of={download} label="Export" />
      ) : (
        <div className="row">
          {formats.map(({ format, label, hint }) => (
            <Button
              key={format}
              icon={<FileDown size={18} />}
              reason={isAdmin ? undefined : 'This needs the role admin.'}
              onClick={() => save(format)}
            >
              {label} <span className="soft small">{hint}</span>
            </Button>
          ))}
        </div>
      )}
      {!isAdmin && <p className="soft small">Exports are for the admins and owners of an account.</p>}
    </section>
  )
}
