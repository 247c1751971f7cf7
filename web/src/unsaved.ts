type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement

const touched = new Set<Field>()

const isField = (target: unknown): target is Field =>
  target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement

/** From now on it is known what somebody entered; also what was typed before this page's code had come. */
export function watchInput(): void {
  for (const field of document.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>('input, textarea'))
    if (field.value !== field.defaultValue) touched.add(field)
  addEventListener('input', ({ target }) => {
    for (const field of touched) if (!field.isConnected) touched.delete(field)
    if (isField(target)) touched.add(target)
  })
}

/** Whether the page holds something that somebody entered: typed, chosen, or a file. Rather too often than once too few. */
export const isSomethingEntered = (): boolean => [...touched].some((field) => field.isConnected && field.value !== '')

/** Whether something is on its way, or a question waits for its answer. Whatever takes long shows how far it is. */
export const isSomethingUnderWay = (): boolean => document.querySelector('[role="progressbar"], dialog[open]') !== null
