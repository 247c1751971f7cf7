/**
 * Files of the pages with a hash in their name: those of this release are on disk, those of releases that ran before are kept
 * in the database, so that a page that somebody opened days ago still finds what it was built with.
 */
export { assetType } from './asset-files.ts'
export { type KeptAsset, type KeptAssets, openKeptAssets } from './kept-assets.ts'
export { sweepKeptAssets } from './stored-assets.ts'
