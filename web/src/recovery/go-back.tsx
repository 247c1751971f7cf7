import { Button, Confirm, Failure, Field, useService } from '@seaworthy/ui'
import { useMutation } from '@tanstack/react-query'
import { History } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { Commands } from './commands.tsx'
import { askOffer, type Offer } from './recovery-queries.ts'
import { RestoreQuestion } from './restore-question.tsx'
import { instant, showSeconds, showSize, toField } from './words.ts'

type Step = 'look' | 'first' | 'second' | 'told'

/** An instant, what going back to it takes, and after two questions exactly what to run. */
export function GoBack({ earliest, latest }: { readonly earliest: string; readonly latest: string }) {
  const service = useService()
  const [chosen, setChosen] = useState(() => toField(latest))
  const [step, setStep] = useState<Step>('look')
  const look = useMutation({ mutationFn: (to: string) => askOffer(service, to) })
  const at = new Date(chosen)
  const isOutside = !(at.getTime() >= Date.parse(earliest) - 1_000 && at.getTime() <= Date.now())
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    setStep('look')
    if (!isOutside) look.mutate(at.toISOString())
  }
  const offer = look.data
  return (
    <section className="setting" aria-labelledby="go-back">
      <div>
        <h2 id="go-back">Go back to an instant</h2>
        <p className="soft">
          Looking changes nothing. A service cannot replace its own database, so you run the command.
        </p>
      </div>
      <form className="card form wide" onSubmit={submit}>
        <Field
          label="Instant, in the time of this device"
          type="datetime-local"
          step={1}
          required
          value={chosen}
          min={toField(earliest)}
          onChange={(event) => setChosen(event.target.value)}
          hint={`From ${instant(earliest)} until a few seconds ago.`}
          fault={isOutside ? `Between ${instant(earliest)} and now.` : undefined}
        />
        <div className="row">
          <Button type="submit" kind="main" icon={<History size={18} />} disabled={look.isPending}>
            {look.isPending ? 'Looking' : 'See what it would take'}
          </Button>
        </div>
        {look.error && <Failure error={look.error} />}
        {offer && <OfferCard of={offer} onRestore={() => setStep('first')} />}
      </form>
      {offer && step === 'first' && (
        <Confirm
          title={`Back to ${instant(offer.to)}?`}
          action="Go on"
          otherwise="Stay here"
          onConfirm={() => setStep('second')}
          onClose={() => setStep((now) => (now === 'first' ? 'look' : now))}
        >
          {`The service stops for about ${showSeconds(offer.seconds)}. Everything that anybody did after that instant is not in it any more; the database of now is kept beside it.`}
        </Confirm>
      )}
      {offer && step === 'second' && (
        <RestoreQuestion
          onMeant={() => setStep('told')}
          onClose={() => setStep((now) => (now === 'second' ? 'look' : now))}
        />
      )}
      {offer && step === 'told' && <Commands of={offer} />}
    </section>
  )
}

function OfferCard({ of, onRestore }: { readonly of: Offer; readonly onRestore: () => void }) {
  return (
    <div className="offer-facts" role="status">
      <p>
        <strong>About {showSeconds(of.seconds)}</strong> to {instant(of.to)}: {showSize(of.bytes)} from the point{' '}
        {of.point} in {of.store}, then {of.segments} segments of the log. It was made by release {of.release}.
      </p>
      <div className="row">
        <Button kind="danger" onClick={onRestore}>
          Go back to it
        </Button>
      </div>
    </div>
  )
}
