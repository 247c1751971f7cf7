import { Button, toast } from '@seaworthy/ui'
import { Copy, Download } from 'lucide-react'
import { useEffect, useRef } from 'react'

/** Shown once: for the day the phone is gone. */
export function RecoveryCodes({ codes, onKept }: { readonly codes: readonly string[]; readonly onKept: () => void }) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus(), [])
  const text = codes.join('\n')
  const download = `data:text/plain;charset=utf-8,${encodeURIComponent(`Recovery codes, each good once:\n${text}\n`)}`
  return (
    <div className="card form wide">
      <h3 ref={heading} tabIndex={-1}>
        Keep these recovery codes
      </h3>
      <p className="soft">
        If you lose your phone, one of them signs you in. They are shown only now; paper or a password manager is a good
        place.
      </p>
      <ul className="codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <div className="row">
        <Button
          icon={<Copy size={18} />}
          onClick={() =>
            void navigator.clipboard.writeText(text).then(
              () => toast('Copied.'),
              () => toast('This browser did not copy them.'),
            )
          }
        >
          Copy
        </Button>
        <a className="button" data-kind="plain" href={download} download="recovery-codes.txt">
          <Download size={18} /> Save as a file
        </a>
        <Button kind="main" onClick={onKept}>
          I have kept them
        </Button>
      </div>
    </div>
  )
}
