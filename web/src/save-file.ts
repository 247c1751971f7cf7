const KEPT_MS = 60_000

/** Into the folder where this browser saves files. */
export function saveFile(file: Blob, name: string): void {
  const href = URL.createObjectURL(file)
  Object.assign(document.createElement('a'), { href, download: name }).click()
  // Browsers read it when they begin to save, which may be after a question.
  setTimeout(() => URL.revokeObjectURL(href), KEPT_MS)
}
