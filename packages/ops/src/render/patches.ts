import { applyPatch, createTwoFilesPatch } from 'diff'

/** Where the hand edits of an artefact are kept. */
export const patchPathOf = (path: string): string => `deploy/patches/${path}.patch`

/** What somebody changed by hand, as a unified diff; undefined when nothing. */
export function makePatch(path: string, rendered: string, edited: string): string | undefined {
  return rendered === edited ? undefined : createTwoFilesPatch(path, path, rendered, edited, 'rendered', 'yours')
}

/** The rendered text with somebody's changes. Throws when they no longer fit. */
export function withPatch(path: string, rendered: string, patch: string): string {
  const text = applyPatch(rendered, patch, { fuzzFactor: 2 })
  if (text === false)
    throw new Error(
      `Your changes in ${patchPathOf(path)} no longer fit what is rendered.\n    HINT: remove that file, seaworthy render, make the changes again in ${path}, seaworthy render --keep`,
    )
  return text
}
