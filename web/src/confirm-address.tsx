import { dataOf } from '@seaworthy/client'
import { toast, useService } from '@seaworthy/ui'
import { useMutation } from '@tanstack/react-query'
import { MailWarning } from 'lucide-react'

/** For whoever has not confirmed their address: that it is so, and the mail once more. */
export function ConfirmAddress() {
  const { http } = useService()
  const resend = useMutation({
    mutationFn: () => dataOf(http.POST('/api/identity/email/resend')),
    onSuccess: () => toast('A mail with a link is on its way.'),
    onError: (error) => toast(error.message),
  })
  return (
    <>
      <p className="menu-note small">
        Your address is not confirmed yet. If it is mistyped, nobody can help you when you forget your password.
      </p>
      <button type="button" onClick={() => resend.mutate()} disabled={resend.isPending}>
        <MailWarning size={18} /> Send me the link again
      </button>
    </>
  )
}
