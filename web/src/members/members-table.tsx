import { dataOf, type Paths } from '@seaworthy/client'
import { Button, Confirm, toast, useService } from '@seaworthy/ui'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { UserMinus } from 'lucide-react'
import { useState } from 'react'
import { useSensitive } from '../settings/sensitive.tsx'
import { membersQuery, type RoleName, roleWords, shortRole } from './account-queries.ts'

export type Member =
  Paths['/api/identity/members']['get']['responses'][200]['content']['application/json']['items'][number]

interface MembersTableProps {
  readonly members: readonly Member[]
  readonly myRole: string
}

/** A table on a desk, cards on a phone. */
export function MembersTable({ members, myRole }: MembersTableProps) {
  const service = useService()
  const client = useQueryClient()
  const { run, question } = useSensitive()
  const [leaving, setLeaving] = useState<Member>()
  const settled = {
    onError: (error: Error) => toast(error.message),
    onSettled: () => client.invalidateQueries({ queryKey: membersQuery(service).queryKey }),
  }
  const change = useMutation({
    mutationFn: ({ userId, role }: { readonly userId: string; readonly role: RoleName }) =>
      run(() =>
        dataOf(service.http.PATCH('/api/identity/members/{userId}', { params: { path: { userId } }, body: { role } })),
      ),
    onSuccess: () => toast('The role is changed.'),
    ...settled,
  })
  const remove = useMutation({
    mutationFn: ({ userId }: Member) =>
      run(() => dataOf(service.http.DELETE('/api/identity/members/{userId}', { params: { path: { userId } } }))),
    onSuccess: (_, { email }) => toast(`${email} is no member any more.`),
    ...settled,
  })
  return (
    <section className="card" aria-label="Members">
      <table className="table people">
        <thead>
          <tr>
            <th scope="col">Person</th>
            <th scope="col">Role</th>
            <th scope="col">Since</th>
            <th scope="col">
              <span className="visually-hidden">What you can do</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {members.map((member) => (
            <tr key={member.userId}>
              <th scope="row">
                {member.email} {member.you && <span className="chip">you</span>}
              </th>
              <td>
                <Role
                  member={member}
                  myRole={myRole}
                  busy={change.isPending}
                  onChange={(role) => change.mutate({ userId: member.userId, role })}
                />
              </td>
              <td className="soft small number">{new Date(member.since).toLocaleDateString()}</td>
              <td className="row-end">
                {!member.you && (
                  <Button
                    kind="quiet"
                    square
                    icon={<UserMinus size={18} />}
                    aria-label={`Remove ${member.email}`}
                    reason={whyNot(member, myRole) ?? (remove.isPending ? 'One moment.' : undefined)}
                    onClick={() => setLeaving(member)}
                  />
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {leaving && (
        <Confirm
          title={`Remove ${leaving.email}?`}
          action="Remove"
          otherwise="Cancel"
          onConfirm={() => remove.mutate(leaving)}
          onClose={() => setLeaving(undefined)}
        >
          Within a second they see nothing of this account any more, and the API keys that they made here end.
        </Confirm>
      )}
      {question}
    </section>
  )
}

/** Why this person cannot be changed by somebody with this role. */
function whyNot(member: Member, myRole: string): string | undefined {
  if (myRole === 'owner') return undefined
  if (myRole !== 'admin') return 'This needs the role admin.'
  return member.role === 'owner' || member.role === 'admin'
    ? 'Only an owner decides about admins and owners.'
    : undefined
}

interface RoleProps {
  readonly member: Member
  readonly myRole: string
  readonly busy: boolean
  readonly onChange: (role: RoleName) => void
}

function Role({ member, myRole, busy, onChange }: RoleProps) {
  if (whyNot(member, myRole)) return <>{shortRole(member.role)}</>
  const choice = (Object.keys(roleWords) as RoleName[]).filter(
    (role) => myRole === 'owner' || role === 'member' || role === 'viewer',
  )
  return (
    <select
      className="select"
      aria-label={`Role of ${member.email}`}
      value={member.role}
      disabled={busy}
      onChange={(event) => onChange(event.target.value as RoleName)}
    >
      {choice.map((role) => (
        <option key={role} value={role}>
          {shortRole(role)}
        </option>
      ))}
    </select>
  )
}
