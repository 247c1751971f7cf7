import { showBytes } from '@seaworthy/core'
import { Button, Progress, type Service, toast, useService } from '@seaworthy/ui'
import { useMutation } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import './download.css'
import { saveFile } from './save-file.ts'

type Ask = Parameters<Service['file']>[0]

interface Wanted {
  readonly ask: Ask
  readonly name: string
}

/** Fetches a file that only whoever is signed in may have, and saves it. */
export function useDownload() {
  const { file } = useService()
  const [bytes, setBytes] = useState(0)
  const stop = useRef<AbortController>(undefined)
  useEffect(() => () => stop.current?.abort(), [])
  const download = useMutation({
    mutationFn: async ({ ask, name }: Wanted) => {
      setBytes(0)
      const by = new AbortController()
      stop.current = by
      const whole = await file(ask, { onBytes: setBytes, signal: by.signal }).catch((error: unknown) => {
        if (by.signal.aborted) return undefined
        throw error
      })
      if (!whole) return
      saveFile(whole, name)
      toast(`${name} is saved: ${showBytes(whole.size)}.`)
    },
    // What was asked with may be a password.
    gcTime: 0,
  })
  return { ...download, bytes, cancel: () => stop.current?.abort() }
}

interface DownloadingProps {
  readonly of: ReturnType<typeof useDownload>
  readonly label: string
}

/** How far a download is, and the way out of it. The whole is made while it is sent, so nobody knows how much there is. */
export function Downloading({ of: { bytes, cancel }, label }: DownloadingProps) {
  return (
    <div className="downloading">
      <Progress label={label} />
      <p className="soft small number">{bytes > 0 ? `${showBytes(bytes)} so far` : 'It begins'}</p>
      <Button onClick={cancel}>Stop</Button>
    </div>
  )
}
