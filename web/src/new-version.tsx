import { offer, useService } from '@seaworthy/ui'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useSyncExternalStore } from 'react'
import { ownBuild, reloadUnseen } from './reload.ts'
import { isSomethingEntered, isSomethingUnderWay } from './unsaved.ts'

/** Tells whoever has a page of another release that there is a new one, for as long as that is so. */
export function NewVersion(): undefined {
  const { builds } = useService()
  const queries = useQueryClient()
  const served = useSyncExternalStore(
    builds.subscribe,
    () => builds.served,
    () => undefined,
  )
  useEffect(() => {
    const own = ownBuild()
    if (!served || !own || served === own) return
    const isBusy = (): boolean => queries.isMutating() > 0
    const takeBack = offerReload(isBusy)
    const giveUp = reloadUnseen(served, isBusy)
    return () => {
      takeBack()
      giveUp()
    }
  }, [served, queries])
}

/** What was entered is lost only when somebody says so twice. */
function offerReload(isBusy: () => boolean): () => void {
  const reload = (): void => location.reload()
  let takeBack = offer({
    text: 'A new version is ready.',
    action: 'Reload',
    onAccept: () => {
      if (!isBusy() && !isSomethingEntered() && !isSomethingUnderWay()) return reload()
      takeBack = offer({
        text: 'What you entered here is not saved, or something is on its way.',
        action: 'Reload all the same',
        onAccept: reload,
        isAnswer: true,
      })
    },
  })
  return () => takeBack()
}
