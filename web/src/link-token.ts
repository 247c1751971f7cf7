import { useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'

/**
 * The token behind the `#` of a link in a mail. It is taken out of the address bar, so that it is neither in the history
 * nor in what somebody copies from there.
 */
export function useLinkToken(path: '/reset' | '/verify'): string | undefined {
  const navigate = useNavigate()
  const [token] = useState(() => new URLSearchParams(location.hash.slice(1)).get('token') ?? undefined)
  useEffect(() => {
    if (location.hash) void navigate({ to: path, hash: '', replace: true })
  }, [navigate, path])
  return token
}
