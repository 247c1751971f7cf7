import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import fastify, { type FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KeptAssets } from '../../assets/index.ts'
import { addWebPages } from './web-pages.ts'

const files = {
  'index.html': '<title>shell</title><script type="module" src="/assets/a.js"></script><style>a{}</style>',
  'assets/a.js': 'own',
  'assets/a.js.br': 'own in br',
  'flag.svg': '<svg/>',
  '.vite/manifest.json': '{}',
  'pages/index.html': '<title>start</title><script>later()</script>',
  'pages/sign-up.html': '<title>sign-up</title>',
  'pages/cosnap/gallery.html': '<title>gallery</title>',
  'pages/cosnap/photos/_.html': '<title>photo</title>',
}

describe('the pages of the web', () => {
  const directory = mkdtempSync(join(tmpdir(), 'pages-'))
  let server: FastifyInstance
  const counted: string[] = []
  beforeAll(async () => {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(directory, name, '..'), { recursive: true })
      writeFileSync(join(directory, name), text)
    }
    server = fastify()
    const kept: KeptAssets = {
      find: async (name, encodings) => {
        if (name === 'broken-1.js') throw new Error('the database is away')
        if (name !== 'old-1.js') return undefined
        const encoding = encodings.includes('br') ? ('br' as const) : undefined
        return { type: 'text/javascript; charset=utf-8', encoding, body: Buffer.from(`old in ${encoding}`) }
      },
      stop: () => undefined,
    }
    const pages = await addWebPages(server, {
      directory,
      isHttps: false,
      kept,
      observe: ({ method, route, status_code }) => void counted.push(`${method} ${route} ${status_code}`),
    })
    server.setNotFoundHandler((request, reply) => pages.send(request, reply))
    server.get('/a/route', (_request, reply) => reply.send('of an app'))
  })
  afterAll(async () => {
    await server.close()
    rmSync(directory, { recursive: true })
  })
  const get = (url: string, headers = {}) => server.inject({ url, headers })
  const titleAt = async (url: string) => /<title>(.*)<\/title>/.exec((await get(url)).body)?.[1]

  it('are sent as they were made ahead for their address, and the shell for every other', async () => {
    expect(await titleAt('/')).toBe('start')
    expect(await titleAt('/?utm_source=letter')).toBe('start')
    expect(await titleAt('/cosnap/gallery')).toBe('gallery')
    expect(await titleAt('/cosnap/photos/1?effect=noir')).toBe('photo')
    expect(await titleAt('/cosnap/photos/1/more')).toBe('shell')
    expect(await titleAt('/../pages/sign-up.html')).toBe('shell')
    // The operator's link shows another form than the one that was made ahead.
    expect(await titleAt('/sign-up?operator=token')).toBe('shell')
  })

  it('allow the inline scripts and styles that are in them, and no others', async () => {
    const [start, shell] = [await get('/'), await get('/nowhere')].map((answer) =>
      String(answer.headers['content-security-policy']),
    )
    expect(start).toMatch(/script-src 'self' 'sha256-[^']+'; style-src 'self';/)
    expect(shell).toMatch(/script-src 'self'; style-src 'self' 'sha256-[^']+';/)
  })

  it('come in the best form that is accepted', async () => {
    const read = async (accepted: string) => {
      const { headers, rawPayload } = await get('/', { 'accept-encoding': accepted })
      expect(headers.vary).toBe('accept-encoding')
      return [headers['content-encoding'], rawPayload] as const
    }
    const [best, small] = await read('gzip, deflate, br;q=1.0')
    expect([best, brotliDecompressSync(small).toString()]).toEqual(['br', files['pages/index.html']])
    const [second, larger] = await read('gzip;q=0.5, br;q=0')
    expect([second, gunzipSync(larger).toString()]).toEqual(['gzip', files['pages/index.html']])
    expect((await read('zstd, identity'))[0]).toBeUndefined()
  })

  it('find files of other releases as if they were of this one, and never something in place of what is not there', async () => {
    const [own, old] = [await get('/assets/a.js'), await get('/assets/old-1.js', { 'accept-encoding': 'gzip, br' })]
    expect([own.body, old.body]).toEqual(['own', 'old in br'])
    expect(old.headers).toMatchObject({ 'content-encoding': 'br', vary: 'accept-encoding' })
    for (const name of ['cache-control', 'x-content-type-options', 'cross-origin-resource-policy'])
      expect(old.headers[name], name).toBe(own.headers[name])
    expect(old.headers['cache-control']).toBe('public, max-age=31536000, immutable')
    expect(/javascript/.test(String(own.headers['content-type']))).toBe(true)
    expect((await server.inject({ method: 'HEAD', url: '/assets/old-1.js' })).statusCode).toBe(200)
    expect((await get('/assets/nothing-1.js')).body).toContain('<title>shell</title>')
    expect((await get('/assets/broken-1.js')).statusCode).toBe(503)
  })

  it('are sent with the files beside them, in the best form that is accepted, and with nothing else that the build made', async () => {
    const packed = await get('/assets/a.js', { 'accept-encoding': 'gzip, br' })
    expect([packed.body, packed.headers['content-encoding'], packed.headers['content-type']]).toEqual([
      'own in br',
      'br',
      'application/javascript; charset=utf-8',
    ])
    expect(packed.headers.vary).toBe('accept-encoding')
    const flag = await get('/flag.svg', { 'accept-encoding': 'br' })
    expect([flag.body, flag.headers['cache-control']]).toEqual(['<svg/>', 'public, max-age=3600'])
    expect((await server.inject({ method: 'HEAD', url: '/assets/a.js' })).headers['content-length']).toBe('3')
    const { etag } = flag.headers
    expect((await get('/flag.svg', { 'if-none-match': etag })).statusCode).toBe(304)
    for (const url of [
      '/.vite/manifest.json',
      '/index.html',
      '/pages/sign-up.html',
      '/assets/..%2findex.html',
      '/assets/a.js.br',
    ])
      expect(await titleAt(url), url).toBe('shell')
  })

  it('are not sent again to whoever has them', async () => {
    const { etag } = (await get('/')).headers
    const again = await get('/', { 'if-none-match': `W/"other", ${etag}` })
    expect([again.statusCode, again.body]).toEqual([304, ''])
    expect((await get('/sign-up', { 'if-none-match': etag })).statusCode).toBe(200)
  })

  it('are counted when they have left, as pages and files, never by their address', async () => {
    counted.length = 0
    await get('/cosnap/gallery')
    await get('/invented-address?of=somebody')
    await get('/assets/a.js')
    await get('/assets/old-1.js')
    await get('/assets/broken-1.js')
    await get('/a/route')
    expect(counted).toEqual(['GET page 200', 'GET page 200', 'GET asset 200', 'GET asset 200', 'GET asset 503'])
  })

  it('are counted as what went wrong where they cannot be sent', async () => {
    counted.length = 0
    const broken = fastify()
    const observe = ({ status_code }: { status_code: string }) => void counted.push(status_code)
    const pages = await addWebPages(broken, { directory, isHttps: false, observe })
    broken.setNotFoundHandler((request, reply) => {
      reply.headers = () => {
        throw new Error('no page can be made')
      }
      return pages.send(request, reply)
    })
    await broken.inject({ url: '/' })
    await broken.close()
    expect(counted).toEqual(['500'])
  })
})
