/** Where Cosnap's pages are. */
export const paths = {
  studio: '/cosnap',
  photo: (id: string, effect?: string) => `/cosnap/photos/${id}${effect ? `?effect=${effect}` : ''}`,
  gallery: '/cosnap/gallery',
  credits: '/cosnap/credits',
} as const
