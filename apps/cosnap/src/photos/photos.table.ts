import { column, pii, table } from '@seaworthy/platform/definition'

export const photos = table('cosnap.photos', {
  id: column.id(),
  account_id: column.account(),
  name: pii(column.text()),
  hash: column.text(),
  type: column.text(),
  bytes: column.bigint(),
  width: column.integer(),
  height: column.integer(),
  created_at: column.createdAt(),
})
