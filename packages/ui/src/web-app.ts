import type { QueryClient } from '@tanstack/react-query'
import type { ComponentType } from 'react'
import type { Service } from './service.tsx'

/** An app's part of the web: where its pages are, each loaded when it is visited. */
export interface WebApp {
  readonly name: string
  readonly title: string
  readonly line: string
  readonly home: string
  readonly nav: readonly {
    readonly label: string
    readonly path: string
    /** Pages below this address belong to it too. */
    readonly also?: string
    readonly icon: ComponentType<{ size?: number }>
  }[]
  readonly pages: readonly WebPage[]
  /** What its audit lines are about, by the action that its routes name: `photo_upload` is `Photo uploaded`. */
  readonly actions: Readonly<Record<string, string>>
  /** What its tables keep, by their name without the app's: `photos` is `Photos`. */
  readonly kept: Readonly<Record<string, string>>
}

export interface WebPage {
  /** `/cosnap/photos/$id` */
  readonly path: string
  readonly title: string
  readonly load: () => Promise<{ default: ComponentType }>
  /** Starts what the page will ask for, while its code is on the way. */
  readonly prefetch?: (parts: {
    readonly service: Service
    readonly queries: QueryClient
    readonly params: Record<string, string>
  }) => void
}
