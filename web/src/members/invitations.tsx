import { dataOf } from '@seaworthy/client'
import { Button, Failure, Field, fieldFault, toast, useService } from '@seaworthy/ui'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Copy, MailPlus } from 'lucide-react'
import { type FormEvent, useId, useState } from 'react'
import { useSensitive } from '../settings/sensitive.tsx'
import { invitationsQuery, type RoleName, roleWords, shortRole } from './account-queries.ts'

type Invited = Exclude<RoleName, 'owner'>

/** Invites an address with a role; the link is shown once, for copying. */
export function Invitations({ isOwner }: { readonly isOwner: boolean }) {
  const service = useService()
  const client = useQueryClient()
  const { run, question } = useSensitive()
  const [email, setEmail] = useState('')
  const [role, setRole] = useState<Invited>('member')
  const roleId = useId()
  const invite = useMutation({
    mutationFn: () => run(() => dataOf(service.http.POST('/api/identity/invitations', { body: { email, role } }))),
    onSuccess: () => setEmail(''),
    onSettled: () => client.invalidateQueries({ queryKey: invitationsQuery(service).queryKey }),
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    invite.mutate()
  }
  const roles = (Object.keys(roleWords) as RoleName[]).filter(
    (one): one is Invited => one !== 'owner' && (isOwner || one !== 'admin'),
  )
  const inField = fieldFault(invite.error, 'email')
  return (
    <section className="card stack" aria-labelledby="invite">
      <h2 id="invite">Invite somebody</h2>
      <form className="invite" onSubmit={submit}>
        <Field
          label="E-mail"
          type="email"
          name="invited"
          autoComplete="off"
          required
          value={email}
          onChange={(event) => setEmail(event.target.value)}
          fault={inField}
        />
        <div className="field">
          <label htmlFor={roleId}>Role</label>
          <select
            id={roleId}
            className="select"
            value={role}
            onChange={(event) => setRole(event.target.value as Invited)}
          >
            {roles.map((one) => (
              <option key={one} value={one}>
                {roleWords[one]}
              </option>
            ))}
          </select>
        </div>
        <Button kind="main" type="submit" icon={<MailPlus size={18} />} disabled={invite.isPending}>
          {invite.isPending ? 'One moment' : 'Invite'}
        </Button>
      </form>
      {invite.error && !inField && <Failure error={invite.error} />}
      {invite.data && <Link link={invite.data.link} />}
      <OpenInvitations />
      {question}
    </section>
  )
}

function Link({ link }: { readonly link: string }) {
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(link)
    toast('The link is copied.')
  }
  return (
    <div className="notice" data-kind="calm" role="status">
      <div className="stack">
        <p>
          The link is on its way by e-mail, where this installation sends any. You can also pass it on yourself: it
          works once, for that address only, within seven days, and is shown only now.
        </p>
        <p className="link-shown">
          <code>{link}</code>
          <Button icon={<Copy size={16} />} onClick={() => void copy().catch(() => toast('Select it and copy it.'))}>
            Copy link
          </Button>
        </p>
      </div>
    </div>
  )
}

function OpenInvitations() {
  const service = useService()
  const client = useQueryClient()
  const open = useQuery(invitationsQuery(service))
  const revoke = useMutation({
    mutationFn: (id: string) =>
      dataOf(service.http.DELETE('/api/identity/invitations/{id}', { params: { path: { id } } })),
    onSuccess: () => toast('The link does not work any more.'),
    onError: (error) => toast(error.message),
    onSettled: () => client.invalidateQueries({ queryKey: invitationsQuery(service).queryKey }),
  })
  if (open.error) return <Failure error={open.error} onRetry={() => void open.refetch()} />
  if (!open.data?.length) return <p className="soft small">No invitation is open.</p>
  return (
    <ul className="letters">
      {open.data.map(({ id, email, role, expiresAt }) => (
        <li key={id}>
          <div>
            <strong>{email}</strong>
            <p className="soft small number">
              {shortRole(role)}, until {new Date(expiresAt).toLocaleDateString()}
            </p>
          </div>
          <Button
            aria-label={`Take back the invitation of ${email}`}
            reason={revoke.isPending ? 'One moment.' : undefined}
            onClick={() => revoke.mutate(id)}
          >
            Take back
          </Button>
        </li>
      ))}
    </ul>
  )
}
