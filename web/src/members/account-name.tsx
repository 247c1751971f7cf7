import { dataOf } from '@seaworthy/client'
import { toast, useService } from '@seaworthy/ui'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { accountsQuery } from './account-queries.ts'
import { NameForm } from './name-form.tsx'

/** The name that all members see. */
export function AccountName({ account }: { readonly account: { readonly id: string; readonly name: string } }) {
  const service = useService()
  const client = useQueryClient()
  const rename = useMutation({
    mutationFn: (name: string) =>
      dataOf(
        service.http.PATCH('/api/identity/accounts/{id}', { params: { path: { id: account.id } }, body: { name } }),
      ),
    onSuccess: () => toast('The account is renamed.'),
    onSettled: () => client.invalidateQueries({ queryKey: accountsQuery(service).queryKey }),
  })
  return (
    <NameForm
      id="account-name"
      title="Name of the account"
      label="Name"
      action="Rename"
      kind="plain"
      first={account.name}
      error={rename.error}
      busy={rename.isPending}
      onSubmit={(name) => rename.mutate(name)}
    />
  )
}
