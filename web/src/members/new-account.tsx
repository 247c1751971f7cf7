import { dataOf } from '@seaworthy/client'
import { useService } from '@seaworthy/ui'
import { useMutation } from '@tanstack/react-query'
import { NameForm } from './name-form.tsx'
import { useSwitch } from './use-switch.ts'

/** Makes an account to share, and goes there. */
export function NewAccount({ first }: { readonly first: boolean }) {
  const { http } = useService()
  const go = useSwitch()
  const make = useMutation({
    mutationFn: (name: string) => dataOf(http.POST('/api/identity/accounts', { body: { name } })),
    onSuccess: ({ id }) => go.mutate({ id, to: '/members' }),
  })
  return (
    <NameForm
      id="new-account"
      title={first ? 'Work with others' : 'Another shared account'}
      about={
        <p className="soft">
          A shared account has photos, credits and keys of its own. You are its owner, and invite whom you like.
        </p>
      }
      label="What it is called"
      action="Make it"
      kind={first ? 'main' : 'plain'}
      first=""
      error={make.error}
      busy={make.isPending || go.isPending}
      onSubmit={(name) => make.mutate(name)}
    />
  )
}
