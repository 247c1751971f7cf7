import { Empty } from '@seaworthy/ui'
import { Link } from '@tanstack/react-router'
import { Compass } from 'lucide-react'

export function NotFoundPage() {
  return (
    <div className="page">
      <Empty
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
