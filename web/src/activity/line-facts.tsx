import type { Line } from './activity-queries.ts'

/** The rest of a line, for whoever looks into it. */
export function LineFacts({ line, who }: { readonly line: Line; readonly who: string }) {
  const facts: readonly (readonly [string, string | null])[] = [
    ['When', new Date(line.at).toLocaleString(undefined, { dateStyle: 'long', timeStyle: 'medium' })],
    ['Who', who],
    ['Network', line.network === 'system' ? 'none: the service itself' : `${line.network} (shortened)`],
    ['Program', line.userAgent],
    ['Done to', line.resource],
    ['More', line.details === null || line.details === undefined ? null : JSON.stringify(line.details)],
    ['Request', line.method === 'SYSTEM' ? null : `${line.method} ${line.route}, answered ${line.status}`],
    ['Reference', line.requestId],
  ]
  return (
    <dl className="line-facts small">
      {facts.map(
        ([name, value]) =>
          value && (
            <div key={name}>
              <dt>{name}</dt>
              <dd className="number">{value}</dd>
            </div>
          ),
      )}
    </dl>
  )
}
