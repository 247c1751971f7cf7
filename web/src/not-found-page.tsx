import { Empty, usePageName } from '@seaworthy/ui'
import { Link } from '@tanstack/react-router'
import { Compass } from 'lucide-react'

export function NotFoundPage() {
  // An unknown address below a page's own carries that page's title.
  usePageName('Nothing at this address')
  return (
    <div className="page">
      <Empty
        wholePage
        icon={<Compass size={30} />}
        title="Nothing at this address"
        action={
          <Link to="/" className="button" data-kind="main">
            To the start page
          </Link>
        }
      >
        It may have been deleted, or the link is not complete.
      </Empty>
    </div>
  )
}
