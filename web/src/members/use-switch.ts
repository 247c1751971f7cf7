import { dataOf } from '@seaworthy/client'
import { toast, useService } from '@seaworthy/ui'
import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { apps } from '../apps.ts'

/** The sign-in goes on in another account, and the page starts anew there. */
export function useSwitch() {
  const { http, session } = useService()
  const navigate = useNavigate()
  return useMutation({
    mutationFn: async ({ id }: { readonly id: string; readonly to?: string }) =>
      dataOf(http.POST('/api/identity/accounts/{id}/switch', { params: { path: { id } } })),
    onSuccess: async (answer, { to }) => {
      // First the page: what it shows belongs to the account before.
      await navigate({ to: to ?? apps[0]?.home ?? '/' })
      session.accept(answer)
    },
    onError: (error) => toast(error.message),
  })
}
