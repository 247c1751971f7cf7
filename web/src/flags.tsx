import { dataOf } from '@seaworthy/client'
import { Failure, toast, useService } from '@seaworthy/ui'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'

const queryKey = ['operations', 'flags']

/** What can be turned while the service runs. Each turn is in the audit log. */
export function FlagList() {
  const { http } = useService()
  const client = useQueryClient()
  const flags = useQuery({ queryKey, queryFn: () => dataOf(http.GET('/api/operations/flags')) })
  const turn = useMutation({
    mutationFn: (body: { name: string; value: boolean | string }) =>
      dataOf(http.PUT('/api/operations/flags', { body })),
    onSuccess: () => toast('Turned. Every process knows within a second.'),
    onError: (error) => toast(error.message),
    onSettled: () => client.invalidateQueries({ queryKey }),
  })
  if (flags.isError) return <Failure error={flags.error} onRetry={() => void flags.refetch()} />
  if (!flags.data) return null
  return (
    <section aria-labelledby="flags">
      <h2 id="flags">Flags</h2>
      <ul className="card letters">
        {flags.data.items.map((flag) => (
          <li key={flag.name}>
            <div>
              <strong>{flag.name}</strong>
              <p className="soft small">{flag.text}</p>
            </div>
            <fieldset className="segments" disabled={turn.isPending}>
              <legend className="visually-hidden">{flag.name}</legend>
              {flag.values.map((value) => (
                <label key={String(value)}>
                  <input
                    type="radio"
                    name={flag.name}
                    checked={flag.value === value}
                    onChange={() => turn.mutate({ name: flag.name, value })}
                  />
                  <span>{inWords(value)}</span>
                </label>
              ))}
            </fieldset>
          </li>
        ))}
      </ul>
    </section>
  )
}

const inWords = (value: boolean | string): string => (typeof value === 'string' ? value : value ? 'on' : 'off')
