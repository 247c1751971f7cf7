import { dataOf } from '@seaworthy/client'
import { toast, useOnce, useService, useSession } from '@seaworthy/ui'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { Activity, LogOut, UserRound } from 'lucide-react'
import { useEffect, useId, useRef } from 'react'

/** Who is signed in, and the way out. */
export function AccountMenu() {
  const { status, user } = useSession()
  const { http } = useService()
  const me = useQuery({
    queryKey: ['identity', 'me', user?.id],
    queryFn: () => dataOf(http.GET('/api/identity/me')),
    enabled: status === 'signed-in',
    staleTime: Number.POSITIVE_INFINITY,
  })
  const signOut = useSignOut()
  const leave = useOnce(signOut)
  const id = useId()
  const menu = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (status !== 'signed-in' && menu.current?.matches(':popover-open')) menu.current.hidePopover()
  }, [status])
  if (status !== 'signed-in') {
    return (
      <Link to="/sign-in" className="button" data-kind={status === 'signed-out' ? 'plain' : 'quiet'}>
        Sign in
      </Link>
    )
  }
  return (
    <>
      <button type="button" className="button" data-kind="plain" data-square aria-label="Account" popoverTarget={id}>
        <UserRound size={20} />
      </button>
      <div id={id} ref={menu} popover="auto" className="menu">
        <p className="menu-head">
          <span className="soft small">Signed in as</span>
          <br />
          {me.data?.email ?? ''}
        </p>
        {user?.operator && (
          <Link to="/operations" onClick={() => menu.current?.hidePopover()}>
            <Activity size={18} /> Operations
          </Link>
        )}
        <button type="button" onClick={() => leave()} disabled={signOut.isPending}>
          <LogOut size={18} /> Sign out
        </button>
      </div>
    </>
  )
}

function useSignOut() {
  const { http, session } = useService()
  const navigate = useNavigate()
  return useMutation({
    mutationFn: () => http.POST('/api/identity/sign-out'),
    onSuccess: async () => {
      await navigate({ to: '/' })
      session.end()
    },
    // Who believes to be signed out and is not leaves the door open.
    onError: () => {
      if (session.state.status === 'signed-in') toast('You are still signed in.')
    },
  })
}
