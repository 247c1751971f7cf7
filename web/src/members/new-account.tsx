import { dataOf } from '@seaworthy/client'
import { Button, Failure, Field, fieldFault, useService } from '@seaworthy/ui'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useSwitch } from './use-switch.ts'

/** Makes an account to share, and goes there. */
export function NewAccount({ first }: { readonly first: boolean }) {
  const { http } = useService()
  const [name, setName] = useState('')
  const go = useSwitch()
  const make = useMutation({
    mutationFn: () => dataOf(http.POST('/api/identity/accounts', { body: { name } })),
    onSuccess: ({ id }) => go.mutate({ id, to: '/members' }),
  })
  const fault = fieldFault(make.error, 'name')
  return (
    <section className="card stack" aria-labelledby="new-account">
      <h2 id="new-account">{first ? 'Work with others' : 'Another shared account'}</h2>
      <p className="soft">
        A shared account has photos, credits and keys of its own. You are its owner, and invite whom you like.
      </p>
      {make.error && !fault && <Failure error={make.error} />}
      <form
        className="invite"
        onSubmit={(event) => {
          event.preventDefault()
          make.mutate()
        }}
      >
        <Field
          label="What it is called"
          name="new-account"
          required
          maxLength={80}
          value={name}
          onChange={(event) => setName(event.target.value)}
          fault={fault}
        />
        <Button kind={first ? 'main' : 'plain'} type="submit" disabled={make.isPending || go.isPending}>
          Make it
        </Button>
      </form>
    </section>
  )
}
