import { Button, Failure, Progress, useService } from '@seaworthy/ui'
import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Camera, ImageUp } from 'lucide-react'
import { type DragEvent, useCallback, useEffect, useRef, useState } from 'react'
import { paths } from './paths.ts'
import { keys } from './queries.ts'
import { ACCEPT, uploadPhoto } from './upload.ts'

interface Sending {
  readonly name: string
  readonly share: number
}

/** Drop, paste, choose or take a photo. */
export function Dropzone() {
  const { send, sending, error } = useUpload()
  const [over, setOver] = useState(false)
  const picker = useRef<HTMLInputElement>(null)
  const camera = useRef<HTMLInputElement>(null)
  usePaste(send)
  useDropAnywhere(send)
  const drop = (event: DragEvent): void => {
    event.preventDefault()
    setOver(false)
    send(event.dataTransfer.files[0])
  }
  return (
    <section
      className="dropzone"
      aria-label="Upload a photo"
      data-over={over || undefined}
      data-busy={sending ? true : undefined}
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      {sending ? (
        <Uploading {...sending} />
      ) : (
        <>
          <span className="lens" aria-hidden="true">
            <ImageUp size={30} />
          </span>
          <div className="words">
            <h2>{over ? 'Let go to upload' : 'Start with a photo'}</h2>
            <p className="soft small">
              Drop it here, paste it, or choose one. Up to 30 MB. Location and camera data are removed.
            </p>
          </div>
          <div className="row">
            <Button kind="main" icon={<ImageUp size={18} />} onClick={() => picker.current?.click()}>
              Choose a photo
            </Button>
            <Button icon={<Camera size={18} />} onClick={() => camera.current?.click()} className="camera">
              Camera
            </Button>
          </div>
        </>
      )}
      {error !== undefined && !sending && <Failure error={error} />}
      <input
        ref={picker}
        type="file"
        accept={ACCEPT}
        hidden
        data-testid="photo-file"
        onChange={(event) => takeFrom(event.currentTarget, send)}
      />
      <input
        ref={camera}
        type="file"
        accept="image/*"
        capture="environment"
        hidden
        onChange={(event) => takeFrom(event.currentTarget, send)}
      />
    </section>
  )
}

function Uploading({ name, share }: Sending) {
  return (
    <div className="words wide" role="status">
      <h2>{share < 1 ? 'Uploading' : 'Developing'}</h2>
      <p className="soft small">{share < 1 ? name : 'Checking the photo and removing location and camera data'}</p>
      <Progress value={share} label="Upload" />
    </div>
  )
}

function useUpload() {
  const service = useService()
  const queries = useQueryClient()
  const navigate = useNavigate()
  const [sending, setSending] = useState<Sending>()
  const [error, setError] = useState<unknown>()
  const send = useCallback(
    (file: File | undefined) => {
      if (!file) return
      setError(undefined)
      setSending({ name: file.name, share: 0 })
      uploadPhoto(service, file, file.name, (share) => setSending({ name: file.name, share }))
        .then(async (id) => {
          await queries.invalidateQueries({ queryKey: keys.photos })
          await navigate({ to: paths.photo(id) })
        })
        .catch(setError)
        .finally(() => setSending(undefined))
    },
    [service, queries, navigate],
  )
  return { send, sending, error }
}

function usePaste(send: (file: File | undefined) => void): void {
  useEffect(() => {
    const paste = (event: ClipboardEvent): void => {
      const file = [...(event.clipboardData?.files ?? [])].find((candidate) => candidate.type.startsWith('image/'))
      if (file) send(file)
    }
    document.addEventListener('paste', paste)
    return () => document.removeEventListener('paste', paste)
  }, [send])
}

/** A photo that lands beside the zone is taken too: the browser would leave the page to show it. */
function useDropAnywhere(send: (file: File | undefined) => void): void {
  useEffect(() => {
    const over = (event: globalThis.DragEvent): void => event.preventDefault()
    const drop = (event: globalThis.DragEvent): void => {
      if (!event.defaultPrevented) send(event.dataTransfer?.files[0])
      event.preventDefault()
    }
    window.addEventListener('dragover', over)
    window.addEventListener('drop', drop)
    return () => {
      window.removeEventListener('dragover', over)
      window.removeEventListener('drop', drop)
    }
  }, [send])
}

/** The same file can be chosen again after a failure. */
function takeFrom(input: HTMLInputElement, send: (file: File | undefined) => void): void {
  send(input.files?.[0])
  input.value = ''
}
