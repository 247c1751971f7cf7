import { defineClaim, exactly } from '../../claim.ts'
import { filesWith } from '../../rig/files-with.ts'
import { jpegPhoto, uploadPhoto } from '../../rig/photo.ts'
import { keepProviderKey, randomSecret } from '../../rig/provider-keys.ts'
import { patch } from '../../sabotage.ts'

export const claim = defineClaim({
  id: 'ENC-01',
  says: "A provider's key and the name of a photo that come in through the API are in no file of the database, in no segment of its write-ahead log, in no other file that the product keeps, and in no line that it prints",
  answers: ['E1', 'E6', 'I4', 'D13', 'ASVS 11.3.2', 'ASVS 13.3.1', 'ASVS 14.2.4'],
  witness: 'grep over every file of the installation',
  tier: 'full',
  seconds: 8,
  limits: {
    'files with the key in them': exactly(0, 'files'),
    'files with the name in them': exactly(0, 'files'),
    'printed lines with either in them': exactly(0, 'lines'),
    'answers with the key in them': exactly(0, 'answers'),
  },
  experiment: async (rig) => {
    const stack = await rig.start()
    const person = await stack.newcomer()
    const [secret, name, clear] = [randomSecret(rig.random), randomSecret(rig.random), randomSecret(rig.random)]
    const kept = await keepProviderKey(person, 'openai', secret)
    await keepProviderKey(person, 'openai', secret)
    const listed = await (await person.fetch('/api/vault/provider-keys')).text()
    await uploadPhoto(person, await jpegPhoto(), name)
    const photos = await (await person.fetch('/api/cosnap/photos')).text()
    const admin = await stack.database('admin')
    await admin.query(`create table proof_clear as select '${clear}'::text as text`)
    await admin.query('checkpoint')
    const inFiles = (text: string): Promise<readonly string[]> => filesWith(stack.dataDirectory, text)
    const [withSecret, withName, withClear] = [await inFiles(secret), await inFiles(name), await inFiles(clear)]
    const lines = stack.output().split('\n')
    return {
      measured: {
        'files with the key in them': withSecret.length,
        'files with the name in them': withName.length,
        'printed lines with either in them': lines.filter((line) => line.includes(secret) || line.includes(name))
          .length,
        'answers with the key in them': [JSON.stringify(kept), listed].filter((text) => text.includes(secret)).length,
      },
      met: {
        'the key is kept, and shown by its last four characters': listed.includes(`"${secret.slice(-4)}"`),
        'the name is kept, and shown to its owner': photos.includes(name),
        'the same search finds a text in clear in the files of the database and in its log':
          withClear.some((file) => file.includes('pg_wal')) && withClear.some((file) => file.includes('/base/')),
      },
      evidence: [...withSecret, ...withName].map((file) => file.slice(stack.dataDirectory.length)),
    }
  },
  sabotages: [
    patch(
      'names of photos are stored as they come',
      'apps/cosnap/src/photos/upload-photo.route.ts',
      'name: await vault.seal(tx, nameOf(caller, id), name),',
      'name: name as never,',
    ),
    patch(
      'the audit line names the key itself',
      'packages/platform/src/http/routes/vault.ts',
      'body: toShown(key), resource: key.id }',
      'body: toShown(key), resource: body.secret }',
    ),
    patch(
      'the key is logged',
      'packages/platform/src/http/routes/vault.ts',
      'handle: async ({ body, caller, tx }) => {',
      'handle: async ({ body, caller, tx, log }) => { log.info(`kept ${body.secret}`)',
    ),
  ],
})
