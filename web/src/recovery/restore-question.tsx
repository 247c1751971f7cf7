import { Button, Field } from '@seaworthy/ui'
import { type FormEvent, useEffect, useRef, useState } from 'react'

const WORD = 'restore'

/** The second question: nobody types a word without meaning it. */
export function RestoreQuestion({ onMeant, onClose }: { readonly onMeant: () => void; readonly onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const [typed, setTyped] = useState('')
  useEffect(() => dialog.current?.showModal(), [])
  const isMeant = typed.trim().toLowerCase() === WORD
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (isMeant) onMeant()
  }
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby="restore-title" onClose={onClose}>
      <form className="form" onSubmit={submit}>
        <h2 id="restore-title">For everybody who uses this?</h2>
        <p className="soft">
          It is the whole installation that goes back. To look first, restore beside it: the next page has both
          commands.
        </p>
        <Field
          label={`Type “${WORD}”`}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          required
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
        <div className="actions">
          <Button onClick={() => dialog.current?.close()}>Stay here</Button>
          <Button kind="danger" type="submit" reason={isMeant ? undefined : `Type “${WORD}” first.`}>
            Show what to run
          </Button>
        </div>
      </form>
    </dialog>
  )
}
