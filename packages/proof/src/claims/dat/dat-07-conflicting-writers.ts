import { defineClaim, exactly } from '../../claim.ts'
import { booksOf, giveCredits } from '../../rig/credits.ts'
import { creditsOf, jpegPhoto, startRun, uploadPhoto } from '../../rig/photo.ts'
import { patch, wrongFunction } from '../../sabotage.ts'

const WRITERS = 50
const WRITES = 4
const CREDITS = 120

/** PostgreSQL refuses every tenth try of a write with 40001, as it does when two transactions cannot both be true. */
const conflicts = `
  create sequence public.tries;
  grant usage on sequence public.tries to seaworthy_app;
  create function public.conflict() returns trigger language plpgsql as $$
  begin
    if nextval('public.tries') % 10 = 0 then
      raise exception 'could not serialize access' using errcode = '40001';
    end if;
    return new;
  end $$;
  create trigger conflict before insert on cosnap.runs for each row execute function public.conflict()`

export const claim = defineClaim({
  id: 'DAT-07',
  says: 'Fifty writers spend the credits of one account at the same time: no update is lost, and conflicts that PostgreSQL reports are tried again without anybody noticing',
  answers: ['D6', 'P6', 'ASVS 2.3.4'],
  witness: 'PostgreSQL, which reports conflicts (40001)',
  tier: 'full',
  seconds: 8,
  limits: {
    'conflicts that a person saw': exactly(0, 'answers'),
    'credits lost or overspent': exactly(0, 'credits'),
    'writes without their lines in the ledger': exactly(0, 'writes'),
  },
  experiment: async (rig) => {
    const stack = await rig.start({ environment: { WORKER_PROCESSES: '0' } })
    const [person, admin] = [await stack.newcomer(), await stack.database('admin')]
    await giveCredits(admin, person, CREDITS - (await creditsOf(person)).available)
    await admin.query(conflicts)
    const photoId = await uploadPhoto(person, await jpegPhoto(64, 48))
    const writer = async (): Promise<number[]> => {
      const statuses = []
      for (let i = 0; i < WRITES; i++) {
        const response = await startRun(person, photoId)
        await response.arrayBuffer()
        statuses.push(response.status)
      }
      return statuses
    }
    const statuses = (await Promise.all(Array.from({ length: WRITERS }, writer))).flat()
    const count = (status: number): number => statuses.filter((found) => found === status).length
    const [credits, books] = [await creditsOf(person), await booksOf(admin, person)]
    const { rows } = await admin.query<{ tries: number }>('select last_value::int as tries from public.tries')
    const conflicted = Math.floor((rows[0]?.tries ?? 0) / 10)
    return {
      measured: {
        'conflicts that a person saw': statuses.length - count(202) - count(402),
        'credits lost or overspent': Math.abs(CREDITS - count(202)) + Math.abs(credits.available),
        'writes without their lines in the ledger':
          Math.abs(books.runs - count(202)) + Math.abs(books.holds - books.runs),
      },
      met: {
        'PostgreSQL reported ten conflicts or more': conflicted >= 10,
        'more was asked for than could be paid': count(402) > 0,
      },
      evidence: [`${conflicted} conflicts, ${count(202)} accepted, ${count(402)} refused`, JSON.stringify(books)],
    }
  },
  sabotages: [
    patch(
      'a conflict is not tried again',
      'packages/platform/src/data/database.ts',
      'const TRIES_MAX = 5',
      'const TRIES_MAX = 1',
    ),
    wrongFunction(
      'two writers may see the same credits',
      'seaworthy.ledger_hold(uuid, bigint, text)',
      'perform seaworthy.ledger_lock(account);',
      '',
    ),
  ],
})
