import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeOwnCopy, type OwnCopy } from './own-copy.ts'
import type { Rig } from './rig.ts'

/** The next release with pages of its own, whose files all have other names, and whose first script throws. */
export function makeBadPages(rig: Rig): OwnCopy {
  const copy = makeOwnCopy(rig)
  const web = join(copy.product, 'web', 'dist')
  const texts = readdirSync(web, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(js|css|html|json)$/.test(name),
  )
  const renamed = new Map(
    readdirSync(join(web, 'assets')).flatMap((name) => {
      const [, stem, hash, ending] = /^(.*-)(.{8})(\.(?:js|css))$/.exec(name) ?? []
      return hash ? [[name, `${stem}${[...hash].reverse().join('')}${ending}`] as const] : []
    }),
  )
  for (const name of texts) {
    const path = join(web, name)
    let text = readFileSync(path, 'utf8')
    for (const [before, after] of renamed) text = text.replaceAll(before, after)
    if (/assets.index-[^/]*\.js$/.test(name)) text = `throw new Error('a bad build of the pages');\n${text}`
    rmSync(path)
    const base = name.split('/').at(-1) ?? ''
    writeFileSync(join(web, name.replace(base, renamed.get(base) ?? base)), text.replace(BUILD, '$1a-bad-build'))
  }
  for (const name of readdirSync(web, { recursive: true, encoding: 'utf8' }))
    if (/\.(br|gz)$/.test(name)) rmSync(join(web, name))
  return copy
}

const BUILD = /(<meta name="build" content=")[^"]+/

/** The names of the scripts and styles of a release's pages. */
export const scriptsOf = (product: string): readonly string[] =>
  readdirSync(join(product, 'web', 'dist', 'assets')).filter((name) => /\.(js|css)$/.test(name))
