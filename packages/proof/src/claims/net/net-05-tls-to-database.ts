import { defineClaim, exactly } from '../../claim.ts'
import { makeAuthority, present } from '../../rig/certificates.ts'
import type { DatabaseClient } from '../../rig/database.ts'
import { onServer } from '../../rig/external.ts'
import { jpegPhoto, uploadPhoto } from '../../rig/photo.ts'
import { tryStart } from '../../rig/settings.ts'
import { openTlsSniffer } from '../../rig/tls-sniffer.ts'
import { timed, until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const NAME = 'proof_tls'
/** Leads to this machine and is none of loopback's names: for the product, a server somewhere else. */
const ELSEWHERE = '0.0.0.0'
const NAMES = `IP:${ELSEWHERE},DNS:localhost,IP:127.0.0.1`
const DRIVER = 'packages/platform/src/data/drivers/pg.ts'
const HIDDEN_MIN = 50_000

export const claim = defineClaim({
  id: 'NET-05',
  says: 'Between the product and a database elsewhere nobody reads a byte, a certificate of another authority or for another name is refused at the start and while it runs, and an address that asks for no TLS is refused',
  answers: ['D2', 'ASVS 12.3.1', 'ASVS 12.3.2'],
  witness: 'PostgreSQL with TLS, openssl, a listener on the wire',
  needs: ['openssl'],
  tier: 'full',
  seconds: 25,
  limits: {
    'bytes in clear': exactly(0, 'bytes'),
    'starts with a foreign certificate': exactly(0, 'of 2'),
    'requests served over a foreign certificate': exactly(0, 'of 2'),
    'starts without TLS': exactly(0, 'starts'),
    'refusals that do not say what to do': exactly(0, 'of 3'),
  },
  experiment: async (rig) => {
    const server = await rig.start({ environment: { WORKER_PROCESSES: '0' } })
    const admin = await server.database('admin')
    const [ours, other] = [await makeAuthority(rig, 'ours'), await makeAuthority(rig, 'other')]
    const good = await ours.sign('good', NAMES)
    const foreign = [await other.sign('foreign', NAMES), await ours.sign('elsewhere', 'DNS:elsewhere.example')]
    await present(rig, admin, good)
    const sniffer = await openTlsSniffer(admin.port)
    rig.defer(() => sniffer.close())
    const local = onServer(admin, NAME, sniffer.port)
    const settings: Record<string, string> = {
      ...local,
      DATABASE_URL: local.DATABASE_URL?.replace('@127.0.0.1:', `@${ELSEWHERE}:`) ?? '',
      DB_CA_FILE: ours.certificate,
    }
    const stack = await rig.start({ environment: settings })
    const person = await stack.newcomer()
    await uploadPhoto(person, await jpegPhoto())
    const isServed = async (): Promise<boolean> => (await person.fetch('/api/cosnap/photos')).ok
    const hidden = sniffer.hiddenBytes()
    let [servedWrongly, startedWrongly] = [0, 0]
    const refusals: string[] = []
    for (const certificate of foreign) {
      await present(rig, admin, certificate)
      await endConnections(admin)
      if (await isServed()) servedWrongly++
      const start = await tryStart(rig, settings)
      if (!start.refused) startedWrongly++
      refusals.push(start.output)
    }
    const clearTry = await tryStart(rig, { ...settings, DATABASE_URL: `${settings.DATABASE_URL}?sslmode=disable` })
    refusals.push(clearTry.output)
    await present(rig, admin, good)
    const back = await timed(() => until('it serves again', isServed))
    return {
      measured: {
        'bytes in clear': sniffer.clearBytes(),
        'starts with a foreign certificate': startedWrongly,
        'requests served over a foreign certificate': servedWrongly,
        'starts without TLS': clearTry.refused ? 0 : 1,
        'refusals that do not say what to do': refusals.filter((output) => !/HINT: .*DB_CA_FILE/.test(output)).length,
      },
      met: {
        'the product spoke with the database through the listener': hidden + sniffer.clearBytes() > HIDDEN_MIN,
        'it serves again with the right certificate': back.value,
      },
      evidence: [
        `${hidden} bytes in TLS records; serves again after ${Math.round(back.ms)} ms`,
        ...refusals.map((output) => output.trim().slice(-300)),
      ],
    }
  },
  sabotages: [
    patch('any certificate is accepted', DRIVER, 'rejectUnauthorized: true', 'rejectUnauthorized: false'),
    patch(
      'a certificate may be for any name',
      DRIVER,
      'rejectUnauthorized: true',
      'rejectUnauthorized: true, checkServerIdentity: () => undefined',
    ),
    patch('nothing is encrypted', DRIVER, "endpoint.tls === 'verify' ?", "endpoint.tls === ('never' as string) ?"),
    patch(
      'an address may ask for no TLS',
      'packages/platform/src/data/database-url.ts',
      'if (withoutTls.includes(mode) && isLoopback(host))',
      'if (withoutTls.includes(mode))',
    ),
  ],
})

const endConnections = (admin: DatabaseClient) =>
  admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${NAME}'`)
