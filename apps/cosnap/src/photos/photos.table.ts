import { column, pii, table } from '@seaworthy/platform/definition'

export const photos = table('cosnap.photos', {
  id: column.id(),
  account_id: column.account(),
  /** As somebody called the file: nobody's business but theirs. In clear in rows of before `keys encrypt-existing`. */
  name: pii(column.sealed()),
  hash: column.text(),
  type: column.text(),
  bytes: column.bigint(),
  width: column.integer(),
  height: column.integer(),
  created_at: column.createdAt(),
})
