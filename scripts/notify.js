// `npm run notify`: tells how a delivery went at NOTIFY_URL (a webhook that takes {"text": ...}), of OUTCOMES, GitHub's
// `needs` as JSON. Without an address it only prints.
const outcomes = Object.entries(JSON.parse(process.env.OUTCOMES ?? '{}')).map(
  ([job, { result }]) => `${job}: ${result}`,
)
const text = `${process.env.GITHUB_REPOSITORY ?? 'Seaworthy'} ${(process.env.GITHUB_SHA ?? '').slice(0, 8)}: ${outcomes.join(', ') || 'no outcomes'}`
console.log(text)
const url = process.env.NOTIFY_URL
if (!url) console.log('nobody is told: NOTIFY_URL is not set')
else {
  const { ok, status } = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text }),
    signal: AbortSignal.timeout(15_000),
  })
  if (!ok) {
    console.error(`NOTIFY_URL answered ${status}`)
    process.exit(1)
  }
}
