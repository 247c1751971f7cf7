import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Host } from '../host.ts'
import { type Containers, wordsFor } from './containers.ts'
import { imageOf } from './kept-image.ts'
import { commandWords } from './words.ts'

/** Runs a command of a release in a container of its own, which is gone afterwards. */
export const commandInContainer =
  (containers: Containers): Host['command'] =>
  async (release, args, { timeoutMs, isOwner = false, origin, signal }) => {
    const engine = await containers.engine()
    const { layout, nameOf } = containers
    const image = origin ?? (await imageOf(engine, layout, release)).id
    const ending = `${args[0]}-${process.pid}`
    const name = `${nameOf(release)}-${ending}`
    const envFile = join(layout.run, `${release}.${ending}.settings`)
    try {
      const words = await wordsFor(containers, { release, image, name, envFile, isOwner })
      return await engine.run(commandWords(words, args), { timeoutMs, ...(signal ? { signal } : {}) })
    } catch (cause) {
      // One that is late, or not wanted any more, does not end with the program that has started it.
      await engine.attempt(['rm', '--force', name])
      throw new Error(`seaworthy ${args.join(' ')} ended with an error: ${afterColon((cause as Error).message)}`, {
        cause,
      })
    } finally {
      rmSync(envFile, { force: true })
    }
  }

/** What the command itself wrote, without the words that it was run by. */
const afterColon = (text: string): string => text.slice(text.indexOf(':') + 1).trim()
