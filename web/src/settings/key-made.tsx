import { Button, toast } from '@seaworthy/ui'
import { Copy } from 'lucide-react'

/** The key, this once. */
export function KeyMade({ apiKey, onKept }: { readonly apiKey: string; readonly onKept: () => void }) {
  return (
    <div className="card form wide" role="status">
      <h3>Your new key</h3>
      <p className="soft">
        It is shown only now: we keep no copy of it. Programs send it as <code>Authorization: Bearer</code> and the key.
      </p>
      <code className="key">{apiKey}</code>
      <div className="row">
        <Button
          icon={<Copy size={18} />}
          onClick={() =>
            void navigator.clipboard.writeText(apiKey).then(
              () => toast('Copied.'),
              () => toast('This browser did not copy it.'),
            )
          }
        >
          Copy
        </Button>
        <Button kind="main" onClick={onKept}>
          I have kept it
        </Button>
      </div>
    </div>
  )
}
