/** Where Cosnap's pages are. */
export const paths = {
  studio: '/cosnap',
  photo: (id: string) => `/cosnap/photos/${id}`,
  gallery: '/cosnap/gallery',
  credits: '/cosnap/credits',
} as const
