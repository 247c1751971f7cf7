import { ApiError, dataOf } from '@seaworthy/client'
import { Button, Failure, useService, useSession } from '@seaworthy/ui'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Link2Off, MailCheck, MailQuestion } from 'lucide-react'
import { apps } from './apps.ts'
import { LinkEnd } from './link-end.tsx'
import { useLinkToken } from './link-token.ts'

/** Confirms an address by the link of a mail: with a press of a button, because programs that look at mail open links too. */
export function VerifyPage() {
  const { http } = useService()
  const queries = useQueryClient()
  const token = useLinkToken('/verify')
  const verify = useMutation({
    mutationFn: () => dataOf(http.POST('/api/identity/email/verify', { body: { token: token ?? '' } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['identity', 'me'] }),
  })
  const isOver = verify.error instanceof ApiError && verify.error.problem.code === 'link_expired'
  if (!token || isOver)
    return (
      <LinkEnd icon={<Link2Off size={28} />} title="This link is over">
        <p className="soft">
          It works once, for a while, and only the newest one. You find a new one in the account menu.
        </p>
        <OnFrom />
      </LinkEnd>
    )
  if (verify.data)
    return (
      <LinkEnd icon={<MailCheck size={28} />} title={verify.data.changed ? 'Your address is changed' : 'Thank you'}>
        <p className="soft">
          {verify.data.changed
            ? `From now on you sign in with ${verify.data.email}.`
            : `${verify.data.email} is confirmed.`}
        </p>
        <OnFrom />
      </LinkEnd>
    )
  return (
    <LinkEnd icon={<MailQuestion size={28} />} title="Is this your address?">
      <p className="soft">You came here from a mail. Confirm that you read it.</p>
      {verify.error && <Failure error={verify.error} />}
      <Button kind="main" disabled={verify.isPending} onClick={() => verify.mutate()}>
        {verify.isPending ? 'One moment' : 'Confirm my address'}
      </Button>
    </LinkEnd>
  )
}

function OnFrom() {
  const { status } = useSession()
  return (
    <Link className="button" data-kind="main" to={status === 'signed-in' ? (apps[0]?.home ?? '/') : '/sign-in'}>
      {status === 'signed-in' ? 'Go on' : 'Sign in'}
    </Link>
  )
}
