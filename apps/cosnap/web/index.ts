import { CoinIcon, type WebApp } from '@seaworthy/ui'
import { Aperture, Images } from 'lucide-react'
import { paths } from './paths.ts'
import { creditsQuery, effectsQuery, photoQuery, photosQuery } from './queries.ts'

/** Cosnap's part of the web. */
export const cosnapWeb: WebApp = {
  name: 'cosnap',
  title: 'Cosnap',
  line: 'Photo effects with credits',
  home: paths.studio,
  nav: [
    { label: 'Studio', path: paths.studio, also: paths.photo(''), icon: Aperture },
    { label: 'Gallery', path: paths.gallery, icon: Images },
    { label: 'Credits', path: paths.credits, icon: CoinIcon },
  ],
  actions: {
    photo_upload: 'Photo uploaded',
    photo_delete: 'Photo deleted',
    effect_start: 'Effect started',
    effect_cancel: 'Effect cancelled',
    effect_delete: 'Picture deleted',
  },
  kept: { photos: 'Photos that you uploaded, by name', runs: 'Pictures that were made of them' },
  pages: [
    {
      path: paths.studio,
      title: 'Studio',
      load: async () => ({ default: (await import('./studio-page.tsx')).StudioPage }),
      prefetch: ({ service, queries }) => void queries.prefetchInfiniteQuery(photosQuery(service)),
    },
    {
      path: '/cosnap/photos/$id',
      title: 'Photo',
      load: async () => ({ default: (await import('./photo-page.tsx')).PhotoPage }),
      prefetch: ({ service, queries, params }) => {
        void queries.prefetchQuery(photoQuery(service, params.id ?? ''))
        void queries.prefetchQuery(effectsQuery(service))
      },
    },
    {
      path: paths.gallery,
      title: 'Gallery',
      load: async () => ({ default: (await import('./gallery-page.tsx')).GalleryPage }),
    },
    {
      path: paths.credits,
      title: 'Credits',
      load: async () => ({ default: (await import('./credits-page.tsx')).CreditsPage }),
      prefetch: ({ service, queries }) => void queries.prefetchInfiniteQuery(creditsQuery(service)),
    },
  ],
}
