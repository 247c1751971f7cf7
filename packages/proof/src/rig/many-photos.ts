import type { DatabaseClient } from './database.ts'
import type { Person } from './person.ts'

/** Rows of photos, with names in clear, as a release from before names were sealed has left them. */
export async function insertClearPhotos(admin: DatabaseClient, accountId: string, count: number, name: string) {
  await admin.query(
    `insert into cosnap.photos (id, account_id, name, hash, type, bytes, width, height)
     select gen_random_uuid(), $1, replace($3, '#', n::text), repeat('0', 64), 'image/jpeg', 1, 1, 1 from generate_series(1, $2::int) n`,
    [accountId, count, name],
  )
}

interface Page {
  readonly items: readonly { readonly id: string; readonly name: string }[]
  readonly next: string | null
}

/** The names of all photos of a person, page by page, and whether a page was refused. Ends early when told to. */
export async function readNames(person: Person, isEnough: () => boolean = () => false) {
  const names = new Map<string, string>()
  for (let cursor = ''; ; ) {
    const response = await person.fetch(`/api/cosnap/photos?limit=50${cursor}`)
    if (!response.ok) {
      await response.arrayBuffer()
      return { names, failed: true }
    }
    const { items, next } = (await response.json()) as Page
    for (const { id, name } of items) names.set(id, name)
    if (next === null || isEnough()) return { names, failed: false }
    cursor = `&cursor=${next}`
  }
}
