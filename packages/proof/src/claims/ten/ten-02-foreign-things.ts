import { defineClaim, exactly } from '../../claim.ts'
import { documentedRoutes } from '../../rig/api-document.ts'
import type { DatabaseClient } from '../../rig/database.ts'
import { askById, borrow, findForeign, lists, MISSING, makeThings } from '../../rig/foreign.ts'
import { jsonBody, type Person } from '../../rig/person.ts'
import { jpegPhoto, uploadPhoto } from '../../rig/photo.ts'
import type { Stack } from '../../rig/stack.ts'
import { patch, wrongSql } from '../../sabotage.ts'

/** What a body must not be able to set. */
const protectedFields = {
  id: MISSING,
  accountId: MISSING,
  account_id: MISSING,
  userId: MISSING,
  role: 'owner',
  operator: true,
  cost: 0,
  state: 'done',
  holdId: MISSING,
  createdAt: '2020-01-01T00:00:00Z',
}

export const claim = defineClaim({
  id: 'TEN-02',
  says: "Nobody reads, changes, deletes or lists another account's photos, effects and credits, and a foreign thing looks like a missing one",
  answers: ['I6', 'H12', 'ASVS 8.2.1', 'ASVS 8.2.2', 'ASVS 8.2.3', 'ASVS 15.3.3'],
  witness: 'two users, the document of the API, the rows of PostgreSQL',
  tier: 'full',
  seconds: 6,
  limits: {
    'foreign things answered': exactly(0, 'answers'),
    'answers that tell foreign from missing': exactly(0, 'answers'),
    'foreign ids in lists': exactly(0, 'answers'),
    'foreign rows changed': exactly(0, 'rows'),
    'protected fields accepted': exactly(0, 'fields'),
  },
  experiment: async (rig) => {
    const stack = await rig.start()
    const [owner, stranger] = [await stack.newcomer(), await stack.newcomer()]
    const things = await makeThings(owner)
    const own = await uploadPhoto(stranger, await jpegPhoto(64, 48))
    const rowsBefore = await rowsOf(await stack.database(), owner)
    const routes = await documentedRoutes(stack.url)
    // Before anything is tried by id: their own audit tells people what they asked for.
    const listed = await findForeign(stranger, things, lists(routes, owner, things))
    const byId = await askById(stranger, routes, things)
    const answered = [
      ...byId.filter((answer) => answer.foreign < 400).map((answer) => answer.asked),
      ...(await borrow(stack, stranger, things, own)),
    ]
    const accepted = await setProtected(stack, stranger, own)
    const rowsAfter = await rowsOf(await stack.database(), owner)
    return {
      measured: {
        'foreign things answered': answered.length,
        'answers that tell foreign from missing': byId.filter((answer) => answer.differs).length,
        'foreign ids in lists': listed.length,
        'foreign rows changed': differences(rowsBefore, rowsAfter),
        'protected fields accepted': accepted.length,
      },
      met: {
        'six routes or more were asked for two foreign things': byId.length >= 12,
        'the owner has two photos and a finished effect': rowsBefore.length === 3,
      },
      evidence: [`${byId.length} by id`, ...answered, ...listed, ...accepted],
    }
  },
  sabotages: [
    wrongSql(
      'a policy lets everybody see photos',
      'create policy careless on cosnap.photos to seaworthy_app using (true)',
    ),
    patch(
      'any signature opens a file',
      'packages/platform/src/media/signed-url.ts',
      'if (!timingSafeEqual(Buffer.from(given), Buffer.from(expected)))',
      'if (given.length !== expected.length)',
    ),
    patch(
      'a body may hold more than is asked for',
      'apps/cosnap/src/runs/start-run.route.ts',
      'body: z.strictObject(',
      'body: z.looseObject(',
    ),
  ],
})

/** One field after the other, in bodies that are right without it. */
async function setProtected(stack: Stack, stranger: Person, photoId: string): Promise<string[]> {
  const { email, password } = stranger
  const bodies: readonly [path: string, body: object][] = [
    ['/api/cosnap/runs', { photoId, effect: 'noir', strength: 60 }],
    ['/api/identity/sign-in', { email, password }],
    ['/api/identity/sign-up', { email: `new-${email}`, password }],
  ]
  const accepted: string[] = []
  for (const [path, body] of bodies)
    for (const [name, value] of Object.entries(protectedFields)) {
      const headers = { authorization: `Bearer ${stranger.token}`, 'idempotency-key': `${path}-${name}` }
      const response = await fetch(`${stack.url}${path}`, jsonBody({ ...body, [name]: value }, headers))
      if (response.status !== 400) accepted.push(`${path} ${name}: ${response.status}`)
    }
  return accepted
}

async function rowsOf(admin: DatabaseClient, { accountId }: Person): Promise<string[]> {
  const { rows } = await admin.query<{ row: string }>(
    `select row from (select p.id, to_jsonb(p)::text as row from cosnap.photos p where account_id = $1
      union all select r.id, to_jsonb(r)::text from cosnap.runs r where account_id = $1) found order by id`,
    [accountId],
  )
  return rows.map(({ row }) => row)
}

const differences = (before: readonly string[], after: readonly string[]): number =>
  before.filter((row) => !after.includes(row)).length + Math.max(0, after.length - before.length)
