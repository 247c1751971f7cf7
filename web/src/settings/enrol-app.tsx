import { dataOf } from '@seaworthy/client'
import { Button, Failure, Field, useService } from '@seaworthy/ui'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { encode } from 'uqr'
import type { Sensitive } from './sensitive.tsx'

interface EnrolAppProps {
  readonly of: { readonly secret: string; readonly url: string }
  readonly sensitive: Sensitive
  readonly onDone: (recoveryCodes: readonly string[]) => void
  readonly onCancel: () => void
}

/** A picture to scan, and the first code as the proof that it was. */
export function EnrolApp({ of, sensitive, onDone, onCancel }: EnrolAppProps) {
  const { http } = useService()
  const [code, setCode] = useState('')
  const confirm = useMutation({
    mutationFn: () => sensitive.run(() => dataOf(http.POST('/api/identity/totp/confirm', { body: { code } }))),
    onSuccess: ({ recoveryCodes }) => onDone(recoveryCodes),
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    confirm.mutate()
  }
  return (
    <form className="card enrol" onSubmit={submit}>
      <QrCode text={of.url} />
      <div className="form">
        <p>
          Scan this with an authenticator app, or type the key into it: <code className="key">{spaced(of.secret)}</code>
        </p>
        {confirm.error && <Failure error={confirm.error} />}
        <Field
          label="The six digits it shows"
          name="code"
          value={code}
          required
          inputMode="numeric"
          autoComplete="one-time-code"
          maxLength={7}
          onChange={(event) => setCode(event.target.value)}
        />
        <div className="row">
          <Button kind="main" type="submit" disabled={confirm.isPending}>
            {confirm.isPending ? 'One moment' : 'Turn it on'}
          </Button>
          <Button kind="quiet" onClick={onCancel}>
            Not now
          </Button>
        </div>
      </div>
    </form>
  )
}

const spaced = (secret: string): string => secret.replace(/(.{4})/g, '$1 ').trim()

/** Drawn as one path; dark on light in every theme, as cameras expect. */
function QrCode({ text }: { readonly text: string }) {
  const { data, size } = encode(text, { border: 2 })
  const path = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : []))).join('')
  return (
    <svg className="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label="The key, as a picture for the app">
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  )
}
