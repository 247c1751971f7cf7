import { ApiError, dataOf } from '@seaworthy/client'
import { Button, Failure, Field, fieldFault, toast, useService } from '@seaworthy/ui'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { NewPassword } from '../new-password.tsx'

/** Another password, by whoever knows the present one. */
export function Password() {
  const { http } = useService()
  const queries = useQueryClient()
  const [current, setCurrent] = useState('')
  const [password, setPassword] = useState('')
  const change = useMutation({
    mutationFn: () => dataOf(http.POST('/api/identity/password/change', { body: { current, password } })),
    onSuccess: async () => {
      setCurrent('')
      setPassword('')
      toast('Your password is changed. Other sign-ins were ended.')
      await queries.invalidateQueries({ queryKey: ['identity'] })
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    change.mutate()
  }
  const isWrong = change.error instanceof ApiError && change.error.problem.code === 'wrong_credentials'
  const inField = fieldFault(change.error, 'password')
  return (
    <section className="setting" aria-labelledby="password">
      <div>
        <h2 id="password">Password</h2>
        <p className="soft">A new one ends your sign-ins everywhere else, and you are told by mail.</p>
      </div>
      <form className="card form wide" onSubmit={submit}>
        {change.error && !isWrong && !inField && <Failure error={change.error} />}
        <Field
          label="Present password"
          type="password"
          autoComplete="current-password"
          required
          value={current}
          onChange={(event) => setCurrent(event.target.value)}
          fault={isWrong ? 'is not your present password' : undefined}
        />
        <NewPassword value={password} onChange={setPassword} fault={inField} />
        <div className="row">
          <Button type="submit" disabled={change.isPending}>
            {change.isPending ? 'One moment' : 'Change my password'}
          </Button>
        </div>
      </form>
    </section>
  )
}
