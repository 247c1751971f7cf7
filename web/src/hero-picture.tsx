import { Compare } from '@seaworthy/ui'
import after400avif from './hero/after-400.avif'
import after400webp from './hero/after-400.webp'
import after720avif from './hero/after-720.avif'
import after720webp from './hero/after-720.webp'
import after1200avif from './hero/after-1200.avif'
import after1200webp from './hero/after-1200.webp'
import before400avif from './hero/before-400.avif'
import before400webp from './hero/before-400.webp'
import before720avif from './hero/before-720.avif'
import before720webp from './hero/before-720.webp'
import before1200avif from './hero/before-1200.avif'
import before1200webp from './hero/before-1200.webp'

const setOf = (small: string, middle: string, large: string): string => `${small} 400w, ${middle} 720w, ${large} 1200w`
/** The column beside the words, and the page's width below them. */
const SIZES = '(max-width: 860px) calc(100vw - 2rem), min(48vw, 42rem)'

/** A picture that people can touch: it is the largest thing on the start page, so it is small and asked for first. */
export function HeroPicture() {
  return (
    <div className="hero-picture">
      <Compare
        label="Divider between the picture and its blue print"
        before={
          <Side
            avif={setOf(before400avif, before720avif, before1200avif)}
            webp={setOf(before400webp, before720webp, before1200webp)}
            fallback={before720webp}
            alt="A lighthouse above a calm sea at dusk"
          />
        }
        after={
          <Side
            avif={setOf(after400avif, after720avif, after1200avif)}
            webp={setOf(after400webp, after720webp, after1200webp)}
            fallback={after720webp}
            alt="The same lighthouse as a blue print on paper"
          />
        }
      />
    </div>
  )
}

interface SideProps {
  readonly avif: string
  readonly webp: string
  readonly fallback: string
  readonly alt: string
}

function Side({ avif, webp, fallback, alt }: SideProps) {
  return (
    <picture>
      <source type="image/avif" srcSet={avif} sizes={SIZES} />
      <img srcSet={webp} sizes={SIZES} src={fallback} alt={alt} width={1200} height={900} fetchPriority="high" />
    </picture>
  )
}
