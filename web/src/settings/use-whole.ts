import { useIsFetching, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'

const queryKey = ['identity']
const isFirst = ({ state }: { readonly state: { readonly data: unknown } }): boolean => state.data === undefined

/** Whether everything that the parts of a page ask for is there, or has failed: until then each would push the others down. */
export function useWhole(): boolean {
  const client = useQueryClient()
  const waiting = useIsFetching({ queryKey, predicate: isFirst })
  const [isWhole, setWhole] = useState(false)
  useEffect(() => {
    // The parts have begun to ask by now: their effects run before this one.
    if (waiting === 0 && client.isFetching({ queryKey, predicate: isFirst }) === 0) setWhole(true)
  }, [client, waiting])
  return isWhole
}
