/** Loads what only a checkout has. Throws with words for whoever runs it in an image, which has none of it. */
export async function fromCheckout<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw new Error(
      'This command needs a checkout with its tools, which an image does not have.\n    HINT: run it where you have cloned the sources and run npm ci.',
      { cause },
    )
  }
}
