/** What the service says of a picture. */
export interface PictureSource {
  readonly width: number
  readonly height: number
  readonly full: string
  readonly avif: string
  readonly webp: string
  readonly thumbnail: string
}

/** The smallest version that is sharp enough here. Its place is kept before it arrives. */
export function PhotoPicture({
  of,
  alt,
  sizes,
  eager,
}: {
  readonly of: PictureSource
  readonly alt: string
  readonly sizes: string
  readonly eager?: boolean
}) {
  return (
    <picture>
      <source type="image/avif" srcSet={of.avif} sizes={sizes} />
      <source type="image/webp" srcSet={of.webp} sizes={sizes} />
      <img
        src={of.full}
        alt={alt}
        width={of.width}
        height={of.height}
        loading={eager ? 'eager' : 'lazy'}
        decoding="async"
        draggable={false}
      />
    </picture>
  )
}
