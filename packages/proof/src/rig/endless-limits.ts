import type { Stack } from './stack.ts'

/** For `rig.start`: with several web processes every limit is counted in the database. */
export const countedInDatabase = { WEB_PROCESSES: '2' } as const

/** No limit and no wait between guesses is ever used up, also those that no setting raises: for sweeps about other things. */
export async function makeLimitsEndless(stack: Stack): Promise<void> {
  const admin = await stack.database()
  await admin.query(`
    create function seaworthy.never_used_up() returns trigger language plpgsql as $$ begin new.used := 0; return new; end $$;
    create function seaworthy.never_failed() returns trigger language plpgsql as $$ begin new.failures := 0; new.used := 0; return new; end $$;
    create trigger endless before insert or update on seaworthy.rates for each row execute function seaworthy.never_used_up();
    create trigger endless before insert or update on seaworthy.tries for each row execute function seaworthy.never_failed();`)
}
