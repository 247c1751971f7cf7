import { When } from '@seaworthy/ui'
import { Link } from '@tanstack/react-router'
import { apps } from './apps.ts'
import { HeroPicture } from './hero-picture.tsx'

/** The first thing people see: what it does, on a picture they can touch. */
export function HomePage() {
  const [app] = apps
  if (!app) return null
  return (
    <div className="page home">
      <div className="hero-words">
        <p className="eyebrow">{app.title}</p>
        <h1>Your photos, developed by hand. Well, by pixel.</h1>
        <p className="lead">
          Sixteen effects, from quiet film tones to oil and halftone, made on this server from your own photos. Nothing
          leaves it, and location data is removed on the way in.
        </p>
        <div className="row">
          <When signed="in">
            <Link to={app.home} className="button" data-kind="main">
              Open the studio
            </Link>
          </When>
          <When signed="out">
            <Link to="/sign-up" className="button" data-kind="main">
              Start with 20 free credits
            </Link>
            <Link to="/sign-in" className="button" data-kind="quiet">
              I have an account
            </Link>
          </When>
        </div>
      </div>
      <HeroPicture />
      <ul className="facts">
        <li>
          <h2>Try before you pay</h2>
          <p>Every effect is shown on your own photo first, small and free.</p>
        </li>
        <li>
          <h2>Fair by construction</h2>
          <p>Credits are set aside when work starts, and come back by themselves when it fails or you cancel.</p>
        </li>
        <li>
          <h2>Private by default</h2>
          <p>Full resolution, no location, no camera data. Only addresses that expire open your pictures.</p>
        </li>
      </ul>
    </div>
  )
}
