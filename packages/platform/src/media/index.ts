/** Private files: received within limits, cleaned, stored by content, delivered by expiring addresses. */
export { type Derivatives, readDerivative } from './derivatives.ts'
export { openDiskStore } from './drivers/disk.ts'
export { openS3Store, type S3Settings } from './drivers/s3.ts'
export { forgetPictures } from './drivers/sharp.ts'
export { createMedia, type Media, type MediaRoom, type StoredBlob, type StoredPhoto } from './media.ts'
export { type MediaAddress, readMediaUrl, type Variant } from './signed-url.ts'
export type { BlobStore } from './store.ts'
