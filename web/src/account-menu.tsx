import { dataOf } from '@seaworthy/client'
import { toast, useOnce, useService, useSession, When } from '@seaworthy/ui'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { Activity, Check, FileLock, History, KeyRound, LogOut, ShieldCheck, UserRound, UsersRound } from 'lucide-react'
import { useId, useRef } from 'react'
import { ConfirmAddress } from './confirm-address.tsx'
import { accountsQuery, shortRole } from './members/account-queries.ts'
import { useSwitch } from './members/use-switch.ts'

/** What belongs to the account comes before what belongs to the person. */
const places = [
  { to: '/members', label: 'Members', icon: UsersRound },
  { to: '/settings/keys', label: 'Provider keys', icon: KeyRound },
  { to: '/settings/activity', label: 'Activity', icon: History },
  { to: '/settings/security', label: 'Security', icon: ShieldCheck },
  { to: '/settings/privacy', label: 'Your data', icon: FileLock },
] as const

/** Who is signed in, and the way out; or the way in. */
export function AccountMenu() {
  return (
    <>
      <When signed="out">
        <Link to="/sign-in" className="button" data-kind="plain">
          Sign in
        </Link>
      </When>
      <When signed="in">
        <Menu />
      </When>
    </>
  )
}

function Menu() {
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
  const close = (): void => menu.current?.hidePopover()
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
        {me.data?.emailVerified === false && <ConfirmAddress />}
        <Accounts onChosen={close} />
        {places.map(({ to, label, icon: Icon }) => (
          <Link key={to} to={to} onClick={close}>
            <Icon size={18} /> {label}
          </Link>
        ))}
        {user?.operator && (
          <Link to="/operations" onClick={close}>
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

/** Shown to whoever has a choice. */
function Accounts({ onChosen }: { readonly onChosen: () => void }) {
  const service = useService()
  const { status } = useSession()
  const accounts = useQuery({ ...accountsQuery(service), enabled: status === 'signed-in' })
  const change = useSwitch()
  if (!accounts.data || accounts.data.length < 2) return null
  return (
    <fieldset className="menu-accounts" aria-label="Accounts">
      {accounts.data.map(({ id, name, role, current }) => (
        <button
          key={id}
          type="button"
          aria-pressed={current}
          disabled={change.isPending}
          onClick={() => {
            onChosen()
            if (!current) change.mutate({ id })
          }}
        >
          <Check size={18} aria-hidden="true" className={current ? undefined : 'unseen'} />
          <span className="menu-account">
            {name} <span className="soft small">{shortRole(role)}</span>
          </span>
        </button>
      ))}
    </fieldset>
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
