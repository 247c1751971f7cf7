import { dataOf } from '@seaworthy/client'
import { Button, Failure, Field, fieldFault, toast, useService } from '@seaworthy/ui'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { accountsQuery } from './account-queries.ts'

/** The name that all members see. */
export function AccountName({ account }: { readonly account: { readonly id: string; readonly name: string } }) {
  const service = useService()
  const client = useQueryClient()
  const [name, setName] = useState(account.name)
  const rename = useMutation({
    mutationFn: () =>
      dataOf(
        service.http.PATCH('/api/identity/accounts/{id}', { params: { path: { id: account.id } }, body: { name } }),
      ),
    onSuccess: () => toast('The account is renamed.'),
    onSettled: () => client.invalidateQueries({ queryKey: accountsQuery(service).queryKey }),
  })
  const fault = fieldFault(rename.error, 'name')
  return (
    <section className="card stack" aria-labelledby="account-name">
      <h2 id="account-name">Name of the account</h2>
      {rename.error && !fault && <Failure error={rename.error} />}
      <form
        className="invite"
        onSubmit={(event) => {
          event.preventDefault()
          rename.mutate()
        }}
      >
        <Field
          label="Name"
          name="account"
          required
          maxLength={80}
          value={name}
          onChange={(event) => setName(event.target.value)}
          fault={fault}
        />
        <Button type="submit" disabled={rename.isPending || name.trim() === account.name}>
          Rename
        </Button>
      </form>
    </section>
  )
}
