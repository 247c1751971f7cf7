import { lazyRouteComponent } from '@tanstack/react-router'
import type { ComponentType } from 'react'

/** Another message than the browser's: for that the router reloads by itself, whatever is under way. */
class MissingCodeError extends Error {
  constructor(cause: unknown) {
    super('the code of this page could not be loaded', { cause })
    this.name = 'MissingCodeError'
  }
}

/** A page whose code comes when it is visited. */
export const lazyPage = (load: () => Promise<{ default: ComponentType }>) =>
  lazyRouteComponent(() =>
    load().catch((cause: unknown) => {
      throw new MissingCodeError(cause)
    }),
  )

/** Also of a part of a page, whose error is the browser's own. */
export const isMissingCode = (error: unknown): boolean =>
  error instanceof MissingCodeError ||
  (error instanceof Error &&
    /dynamically imported module|error loading dynamically|importing a module script/i.test(error.message))
