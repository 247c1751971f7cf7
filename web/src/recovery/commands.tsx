import { Button, toast } from '@seaworthy/ui'
import { Copy } from 'lucide-react'
import { useEffect, useRef } from 'react'
import type { Offer } from './recovery-queries.ts'

/** What to run, in order, where the service was installed. */
export function Commands({ of }: { readonly of: Offer }) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus(), [])
  return (
    <div className="card form wide">
      <h3 ref={heading} tabIndex={-1}>
        Run this on the machine, in this order
      </h3>
      <ol className="commands">
        <Command text={of.look}>To look first, beside what runs. Leave it out if you are sure.</Command>
        <Command text="npx seaworthy backup">A point of now, so that you can come back.</Command>
        <Command>Stop the service.</Command>
        <Command text={of.inPlace}>
          It says what it does, checks everything, and changes nothing when something is wrong.
        </Command>
        <Command text="npm start">Everybody finds what was there at that instant.</Command>
      </ol>
    </div>
  )
}

function Command({ text, children }: { readonly text?: string; readonly children: string }) {
  return (
    <li>
      <span>{children}</span>
      {text && (
        <div className="command">
          <code>{text}</code>
          <Button
            square
            kind="quiet"
            icon={<Copy size={16} />}
            aria-label={`Copy ${text}`}
            onClick={() =>
              void navigator.clipboard.writeText(text).then(
                () => toast('Copied.'),
                () => toast('This browser did not copy it.'),
              )
            }
          />
        </div>
      )}
    </li>
  )
}
