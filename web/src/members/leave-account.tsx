import { dataOf } from '@seaworthy/client'
import { Button, Confirm, Failure, toast, useService } from '@seaworthy/ui'
import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { LogOut } from 'lucide-react'
import { useState } from 'react'
import { apps } from '../apps.ts'

/** One goes on in one's own account. */
export function LeaveAccount({ name }: { readonly name: string }) {
  const { http, session } = useService()
  const navigate = useNavigate()
  const [asking, setAsking] = useState(false)
  const leave = useMutation({
    mutationFn: () => dataOf(http.POST('/api/identity/members/leave')),
    onSuccess: async (answer) => {
      await navigate({ to: apps[0]?.home ?? '/' })
      session.accept(answer)
      toast(`You have left ${name}.`)
    },
  })
  return (
    <section className="stack" aria-label="Leave">
      {leave.error && <Failure error={leave.error} />}
      <div>
        <Button kind="danger" icon={<LogOut size={18} />} disabled={leave.isPending} onClick={() => setAsking(true)}>
          Leave this account
        </Button>
      </div>
      {asking && (
        <Confirm
          title={`Leave ${name}?`}
          action="Leave"
          otherwise="Stay"
          onConfirm={() => leave.mutate()}
          onClose={() => setAsking(false)}
        >
          You see nothing of it any more, and the API keys that you made here end. Somebody has to invite you to come
          back.
        </Confirm>
      )}
    </section>
  )
}
