import { ApiError, dataOf } from '@seaworthy/client'
import { Button, Failure, Field, toast, useOnce, useService } from '@seaworthy/ui'
import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useEffect, useRef, useState } from 'react'

const WORDS = 'erase everything'

/** Who is there, and whether they mean it. */
export function EraseQuestion({ onClose }: { readonly onClose: () => void }) {
  const { http, session, live } = useService()
  const navigate = useNavigate()
  const [password, setPassword] = useState('')
  const [typed, setTyped] = useState('')
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  const erase = useMutation({
    mutationFn: () => {
      // The service ends every sign-in first, also this one: the page must hear of it by the answer.
      live.close()
      return dataOf(http.POST('/api/privacy/erase', { body: { password, confirm: WORDS } }))
    },
    onSuccess: async () => {
      await navigate({ to: '/' })
      session.end()
      toast('Your account and everything in it is gone.')
    },
    onError: () => live.open(),
  })
  const once = useOnce(erase)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    once()
  }
  const isWrong = erase.error instanceof ApiError && erase.error.problem.code === 'wrong_credentials'
  const isMeant = typed.trim().toLowerCase() === WORDS
  return (
    <dialog
      ref={dialog}
      className="dialog"
      aria-labelledby="erase-title"
      onClose={onClose}
      onCancel={(event) => erase.isPending && event.preventDefault()}
    >
      <form className="form" onSubmit={submit}>
        <h2 id="erase-title">Delete everything?</h2>
        <p className="soft">
          Your account, your files and every account that is yours alone are removed now. You may want to export your
          data first.
        </p>
        {erase.error && !isWrong && <Failure error={erase.error} />}
        <Field
          label="Your password"
          type="password"
          autoComplete="current-password"
          required
          maxLength={128}
          value={password}
          onChange={(event) => setPassword(event.target.value)}
          fault={isWrong ? 'That is not your password.' : undefined}
        />
        <Field
          label={`Type “${WORDS}”`}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          required
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
        <div className="actions">
          <Button disabled={erase.isPending} onClick={() => dialog.current?.close()}>
            Keep my account
          </Button>
          <Button
            kind="danger"
            type="submit"
            disabled={erase.isPending}
            reason={isMeant ? undefined : `Type “${WORDS}” first.`}
          >
            {erase.isPending ? 'Deleting' : 'Delete everything'}
          </Button>
        </div>
      </form>
    </dialog>
  )
}
