import { useOnline, useService, useSession, type WebApp, When } from '@seaworthy/ui'
import { Link, Outlet, useLocation } from '@tanstack/react-router'
import { CloudOff } from 'lucide-react'
import { Fragment, useEffect, useRef } from 'react'
import { AccountMenu } from './account-menu.tsx'
import { appAt } from './apps.ts'
import { PageTitle } from './page-title.tsx'
import { ThemeButton } from './theme-button.tsx'

/** What stands around every page. */
export function Shell() {
  const { user } = useSession()
  const { live } = useService()
  const account = user?.accountId
  useEffect(() => {
    if (account) live.open()
  }, [account, live])
  const { pathname } = useLocation()
  const app = appAt(pathname)
  const owner = app?.title ?? 'Seaworthy'
  const main = useRef<HTMLElement>(null)
  return (
    <>
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <header className="bar">
        <Link to="/" className="brand" aria-label={`${owner}, start page`}>
          <img src="/pennant.svg" alt="" width={28} height={28} />
          <span>{owner}</span>
        </Link>
        {app && (
          <When signed="in">
            <Navigation of={app} pathname={pathname} />
          </When>
        )}
        <div className="bar-end">
          <ThemeButton />
          <AccountMenu />
        </div>
      </header>
      <PageTitle main={main} />
      <Offline />
      <main id="main" ref={main} tabIndex={-1}>
        {/* Another account is another page: nothing that a page holds may outlive the change. */}
        <Fragment key={account ?? 'nobody'}>
          <Outlet />
        </Fragment>
      </main>
    </>
  )
}

function Navigation({ of: app, pathname }: { readonly of: WebApp; readonly pathname: string }) {
  return (
    <nav className="nav" aria-label={app.title}>
      {app.nav.map(({ label, path, also, icon: Icon }) => (
        <Link
          key={path}
          to={path}
          activeOptions={{ exact: path === app.home }}
          // Not `page`, which a link only is to where one is already.
          aria-current={also && pathname.startsWith(also) ? 'true' : undefined}
          className="nav-link"
        >
          <Icon size={20} />
          <span>{label}</span>
        </Link>
      ))}
    </nav>
  )
}

function Offline() {
  if (useOnline()) return null
  return (
    <p className="offline" role="status">
      <CloudOff size={16} aria-hidden="true" /> You are offline. What you see may be old; nothing you enter is lost.
    </p>
  )
}
