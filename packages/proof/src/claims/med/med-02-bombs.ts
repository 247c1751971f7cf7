import sharp from 'sharp'
import { atMost, defineClaim, exactly } from '../../claim.ts'
import { lyingPicture, pngBomb } from '../../rig/bombs.ts'
import { peakBytes } from '../../rig/memory.ts'
import type { Person } from '../../rig/person.ts'
import { jpegPhoto, uploadPhoto } from '../../rig/photo.ts'
import { timed } from '../../rig/wait.ts'
import { patch, wrongSettings } from '../../sabotage.ts'

const SIDE_BY_SIDE = 20
const MiB = 1_024 ** 2

export const claim = defineClaim({
  id: 'MED-02',
  says: 'Pictures that unfold to more than fifty million pixels are refused, and twenty at once, with large true photos between them, keep the web process below 400 MiB',
  answers: ['M1', 'ASVS 5.2.1', 'ASVS 5.2.6'],
  witness: 'the kernel: the highest memory of the process',
  tier: 'full',
  seconds: 20,
  alone: true,
  limits: {
    'bombs taken': exactly(0, 'pictures'),
    'highest memory of the web process': atMost(400, 'MiB'),
    'processes that were restarted': exactly(0, 'processes'),
    'slowest refusal when nothing else is asked': atMost(1_000, 'ms'),
  },
  experiment: async (rig) => {
    const stack = await rig.start()
    const person = await stack.newcomer()
    const bombs = [pngBomb(9_000, 9_000), await lyingPicture('jpeg'), await lyingPicture('webp')]
    // The first picture of a process also loads the library.
    await uploadPhoto(person, await jpegPhoto())
    const [web = 0] = await stack.pids('web')
    const alone = []
    for (const bomb of bombs) alone.push(await timed(() => send(person, bomb)))
    const photo = await turnedPhoto()
    const together = await Promise.all(
      Array.from({ length: SIDE_BY_SIDE }, (_, i) => {
        const bomb = bombs[Math.floor(i / 2) % bombs.length]
        return send(person, i % 2 || !bomb ? photo : bomb)
      }),
    )
    const after = await stack.pids('web')
    const statuses = [...alone.map(({ value }) => value), ...together.filter((_, i) => i % 2 === 0)]
    return {
      measured: {
        'bombs taken': statuses.filter((status) => status < 400).length,
        'highest memory of the web process': peakBytes(web) / MiB,
        'processes that were restarted': after.includes(web) ? 0 : 1,
        'slowest refusal when nothing else is asked': Math.max(...alone.map(({ ms }) => ms)),
      },
      met: {
        'every bomb was answered': statuses.every((status) => status > 0),
        'the true photos were taken': together.filter((_, i) => i % 2).every((status) => status === 201),
      },
      evidence: [
        `answers alone ${alone.map(({ value, ms }) => `${value} in ${Math.round(ms)} ms`).join(', ')}; together ${together.join(', ')}`,
      ],
    }
  },
  sabotages: [
    patch(
      'there is no limit of pixels',
      'packages/platform/src/media/drivers/sharp.ts',
      'const PIXELS_MAX = 50_000_000',
      'const PIXELS_MAX = 5_000_000_000_000',
    ),
    wrongSettings('all pictures are worked on at the same time', { MEDIA_CONCURRENCY: '16' }),
  ],
})

async function send(person: Person, body: Uint8Array<ArrayBuffer>): Promise<number> {
  const answer = await person.fetch('/api/cosnap/photos?name=boat.jpg', { method: 'POST', body }).catch(() => undefined)
  await answer?.arrayBuffer()
  return answer?.status ?? 0
}

/** Twenty-four million pixels that must be turned, and so be held as a whole. */
async function turnedPhoto(): Promise<Uint8Array<ArrayBuffer>> {
  const picture = sharp({ create: { width: 6_000, height: 4_000, channels: 3, background: '#406080' } })
  return new Uint8Array(await picture.withMetadata({ orientation: 6 }).jpeg().toBuffer())
}
