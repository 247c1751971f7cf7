import { dataOf } from '@seaworthy/client'
import { Button, Failure, Skeleton, useService, useSession } from '@seaworthy/ui'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Link, useLocation } from '@tanstack/react-router'
import { useState } from 'react'
import { shortRole } from './account-queries.ts'
import { useSwitch } from './use-switch.ts'

/** Where the link of an invitation leads. */
export function JoinPage() {
  const { status } = useSession()
  const { hash, pathname } = useLocation()
  // Kept: on the way to the next page the address is already another one, and this one may be shown once more.
  const [token] = useState(() => new URLSearchParams(hash).get('token') ?? '')
  return (
    <div className="page form-page">
      <section className="card form">
        <h1>You are invited</h1>
        {status !== 'signed-in' ? (
          <Door />
        ) : token ? (
          <Offer token={token} />
        ) : pathname === '/join' ? (
          <p className="notice">This link is not whole. Open it again where it was sent to you.</p>
        ) : (
          <Skeleton shape="figures" />
        )}
      </section>
    </div>
  )
}

/** Sign in, or make an account, and come back here. */
function Door() {
  const { href } = useLocation()
  const search = { next: href } as never
  return (
    <>
      <p className="soft">Somebody wants to work with you. Sign in with the address that the invitation was sent to.</p>
      <Link to="/sign-in" search={search} className="button" data-kind="main">
        Sign in
      </Link>
      <Link to="/sign-up" search={search} className="button" data-kind="plain">
        Make an account
      </Link>
    </>
  )
}

function Offer({ token }: { readonly token: string }) {
  const { http } = useService()
  const { user } = useSession()
  const go = useSwitch()
  const accept = useMutation({
    mutationFn: () => dataOf(http.POST('/api/identity/invitations/accept', { body: { token } })),
    onSuccess: ({ accountId }) => go.mutate({ id: accountId }),
  })
  const offer = useQuery({
    queryKey: ['identity', 'invitation', token, user?.id],
    // It can be taken once: afterwards there is nothing to read.
    enabled: !accept.isSuccess,
    queryFn: () => dataOf(http.POST('/api/identity/invitations/read', { body: { token } })),
  })
  if (offer.isPending) return <Skeleton shape="figures" />
  if (offer.error) return <Failure error={offer.error} />
  const { account, role, invitedBy, forCaller } = offer.data
  return (
    <>
      <p>
        {invitedBy ?? 'Somebody'} invites you to <strong>{account}</strong> as {shortRole(role).toLowerCase()}.
      </p>
      {!forCaller && (
        <p className="notice">
          This invitation was made for another address. Sign out, and in again with the one it was sent to.
        </p>
      )}
      {accept.error && <Failure error={accept.error} />}
      <Button
        kind="main"
        reason={forCaller ? undefined : 'It was made for another address.'}
        disabled={accept.isPending || go.isPending}
        onClick={() => accept.mutate()}
      >
        Join {account}
      </Button>
    </>
  )
}
