import { dataOf } from '@seaworthy/client'
import { Button, Failure, Field, fieldFault, toast, useService } from '@seaworthy/ui'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useEffect, useId, useRef, useState } from 'react'
import { useSensitive } from '../settings/sensitive.tsx'
import { keysQueryKey } from './keys-query.ts'

interface KeyFormProps {
  /** Replaces the key of this name. Left out, the form asks for a name. */
  readonly name?: string
  readonly taken?: readonly string[]
  readonly onDone: () => void
}

/** A key goes in here, and never out again. */
export function KeyForm({ name: fixed, taken = [], onDone }: KeyFormProps) {
  const { http } = useService()
  const client = useQueryClient()
  const sensitive = useSensitive()
  const [typed, setTyped] = useState('')
  const [secret, setSecret] = useState('')
  const form = useRef<HTMLFormElement>(null)
  const titleId = useId()
  useEffect(() => form.current?.querySelector('input')?.focus(), [])
  const name = fixed ?? typed.trim().toLowerCase()
  const keep = useMutation({
    // The secret is no variable of the mutation: those are remembered for a while.
    mutationFn: () =>
      sensitive.run(() => dataOf(http.PUT('/api/vault/provider-keys', { body: { name, secret: secret.trim() } }))),
    onSuccess: () => {
      toast(fixed ? `The key of ${name} is replaced.` : `The key of ${name} is kept.`)
      onDone()
    },
    onSettled: () => client.invalidateQueries({ queryKey: keysQueryKey }),
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    keep.mutate()
  }
  const [ofName, ofSecret] = [fieldFault(keep.error, 'name'), fieldFault(keep.error, 'secret')]
  const isTaken = taken.includes(name)
  return (
    <>
      <form ref={form} className={fixed ? 'form wide' : 'card form wide'} aria-labelledby={titleId} onSubmit={submit}>
        <h2 id={titleId}>{fixed ? `Replace the key of ${fixed}` : 'Add a key'}</h2>
        {keep.error && !ofName && !ofSecret && <Failure error={keep.error} />}
        {!fixed && (
          <Field
            label="Provider"
            required
            maxLength={40}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            placeholder="openai"
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            fault={ofName}
            hint={isTaken ? 'There is one already: this replaces it.' : 'Lower case letters, digits, dots and dashes.'}
          />
        )}
        <Field
          label="Key"
          type="password"
          required
          minLength={16}
          maxLength={4_096}
          autoComplete="off"
          spellCheck={false}
          value={secret}
          onChange={(event) => setSecret(event.target.value)}
          fault={ofSecret}
          hint="From now on you see only its last four characters."
        />
        <div className="row">
          <Button kind="main" type="submit" disabled={keep.isPending}>
            {keep.isPending ? 'One moment' : fixed || isTaken ? 'Replace' : 'Keep this key'}
          </Button>
          <Button kind="quiet" disabled={keep.isPending} onClick={onDone}>
            Cancel
          </Button>
        </div>
      </form>
      {sensitive.question}
    </>
  )
}
