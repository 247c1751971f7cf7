import { defineClaim, exactly } from '../../claim.ts'
import { deliver, mediaUrlsIn } from '../../rig/delivered.ts'
import { openFakeClock } from '../../rig/fake-clock.ts'
import { jpegPhoto } from '../../rig/photo.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const MUTATIONS = 300
const HOUR_SECONDS = 3_600
const ranges: readonly (readonly [header: string, from: number, to: number | undefined])[] = [
  ['bytes=0-99', 0, 100],
  ['bytes=100-', 100, undefined],
  ['bytes=-50', -50, undefined],
]

export const claim = defineClaim({
  id: 'MED-05',
  says: 'A private file is only delivered at an address that we signed, unchanged, and not after the hour it is good for',
  answers: ['M5', 'M6', 'ASVS 5.4.2', 'ASVS 8.3.1'],
  witness: 'faketime, altered addresses',
  needs: ['faketime'],
  tier: 'full',
  seconds: 8,
  limits: {
    'altered addresses served': exactly(0, 'addresses'),
    'addresses served after their end': exactly(0, 'addresses'),
    'addresses refused before their end': exactly(0, 'addresses'),
    'ranges with other bytes': exactly(0, 'ranges'),
  },
  experiment: async (rig) => {
    const clock = await openFakeClock(rig)
    const stack = await rig.start({ environment: { MEDIA_URL_EXPIRY: '1h', ...clock.environment } })
    const [owner, stranger] = [await stack.newcomer(), await stack.newcomer()]
    const init = { method: 'POST', body: await jpegPhoto() }
    const urls = mediaUrlsIn(await owner.json('/api/cosnap/photos', init))
    const original = urls.find((url) => url.includes('/original')) ?? ''
    const servedOf = async (all: readonly string[], headers: Record<string, string> = {}): Promise<string[]> => {
      const files = await Promise.all(all.map((url) => deliver(stack.url, url, headers)))
      return files.filter(({ status }) => status < 400).map(({ url }) => url)
    }
    const whole = (await deliver(stack.url, original)).bytes
    const parts = await Promise.all(ranges.map(([range]) => deliver(stack.url, original, { range })))
    const wrongParts = parts.filter(
      ({ bytes }, i) => !Buffer.from(bytes).equals(whole.subarray(ranges[i]?.[1], ranges[i]?.[2])),
    )
    const altered = [...alter(original, owner.accountId, stranger.accountId), ...mutate(original, rig.random)]
    const alteredServed = await servedOf(altered)
    const end = Number(/e=(\d+)/.exec(original)?.[1]) - Math.floor(Date.now() / 1_000)
    clock.setForward(end - 60)
    await untilTheClockIs(stack.url, end - 60)
    const early = await servedOf(urls)
    clock.setForward(end + 1)
    await untilTheClockIs(stack.url, end + 1)
    const late = [...(await servedOf(urls)), ...(await servedOf(urls, { range: 'bytes=0-9' }))]
    return {
      measured: {
        'altered addresses served': alteredServed.length,
        'addresses served after their end': late.length,
        'addresses refused before their end': urls.length - early.length,
        'ranges with other bytes': wrongParts.length,
      },
      met: {
        'the file was there all the while': whole.length > 1_000 && urls.length === 8,
        'the addresses were good for an hour, rounded up by a quarter at most':
          end > HOUR_SECONDS - 60 && end <= HOUR_SECONDS * 1.25,
        [`more than ${MUTATIONS} altered addresses were tried`]: altered.length > MUTATIONS,
      },
      evidence: [
        `good for ${end} s`,
        ...alteredServed.map((url) => `altered: ${url}`),
        ...late.map((url) => `after its end: ${url}`),
      ],
    }
  },
  sabotages: [
    patch(
      'addresses never end',
      'packages/platform/src/media/signed-url.ts',
      'secondsLeft <= 0',
      'Number.isNaN(secondsLeft)',
    ),
    patch(
      'the end is not signed',
      'packages/platform/src/media/signed-url.ts',
      'function sign(path: string, expires: string, secret: Secret): string {',
      "function sign(path: string, _: string, secret: Secret): string {\n  const expires = ''",
    ),
    patch(
      'the signature is not compared',
      'packages/platform/src/media/signed-url.ts',
      '!timingSafeEqual(Buffer.from(given), Buffer.from(expected))',
      '!timingSafeEqual(Buffer.from(given), Buffer.from(given)) && !expected',
    ),
  ],
})

/** Answers carry the time that the process believes. */
const untilTheClockIs = (url: string, seconds: number): Promise<true> =>
  until('the clock is set forward', async () => {
    const told = Date.parse((await fetch(`${url}/health/live`)).headers.get('date') ?? '')
    return told - Date.now() > (seconds - 5) * 1_000 && told - Date.now() < (seconds + 5) * 1_000
  })

/** What somebody would try who has one address and wants more. */
function alter(url: string, mine: string, theirs: string): string[] {
  const [path = '', query = ''] = url.split('?')
  const [, expires = '', signature = ''] = /^e=(\d+)&s=(.+)$/.exec(query) ?? []
  const later = `e=${Number(expires) + HOUR_SECONDS}`
  return [
    path,
    `${path}?e=${expires}`,
    `${path}?s=${signature}`,
    `${path}?e=${expires}&s=`,
    `${path}?${later}&s=${signature}`,
    `${path}?${later}&${query}`,
    `${path}?${query}&${later}`,
    `${path}?${query}&s=${signature}`,
    `${path}?e=0${expires}&s=${signature}`,
    `${path}?e=9999999999&s=${signature}`,
    `${path}?e[]=${expires}&s[]=${signature}`,
    `${path.replace('/original', '/640.webp')}?${query}`,
    `${path.replace('/original', '/original/../1600.avif')}?${query}`,
    `${path.replace(mine, theirs)}?${query}`,
    `${path}/?${query}`,
    `${path.toUpperCase()}?${query}`,
    `${path}?${query.toUpperCase()}`,
  ]
}

/** One character changed, somewhere behind `/media/`. The bits at the end of the signature that say nothing may change. */
function mutate(url: string, random: () => number): string[] {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789-_'
  return Array.from({ length: MUTATIONS }, () => {
    const at = '/media/'.length + Math.floor(random() * (url.length - '/media/'.length - 1))
    const other = alphabet[(alphabet.indexOf(url[at] ?? '') + 1 + Math.floor(random() * 36)) % alphabet.length] ?? 'a'
    return url.slice(0, at) + other + url.slice(at + 1)
  })
}
